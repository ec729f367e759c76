"""A sniffer's three answers: need more bytes, found it, or reject with a reason."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class NeedMore(NamedTuple):
    """The bytes so far are a proper beginning; come again with more of them."""

    at_least: int = 1
    """How many more bytes are certainly missing (a hint for SO_RCVLOWAT; never too many)."""


class Found(NamedTuple, Generic[T]):
    """The bytes hold what the sniffer looks for."""

    value: T
    consumed: int
    """How many of the bytes belong to it (0 where a sniffer only peeks)."""


class Reject(NamedTuple):
    """The bytes can't become what the sniffer looks for, however many follow."""

    reason: str
    """A short sentence for the log; never holds the peer's raw bytes."""


Verdict = NeedMore | Found[T] | Reject
