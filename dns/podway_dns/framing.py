"""How queries stand in a byte stream: two-byte lengths (RFC 1035 4.2.2), or HTTP (`doh`). Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from podway_dns.limits import TCP_BATCH

Answer = Callable[[bytes], bytes | None]
"""From a query to its answer; None: no answer (for now)."""


class Step(NamedTuple):
    """What came of the bytes so far."""

    consumed: int
    """How many of them are done with."""
    output: bytes
    over: bool = False
    """Nothing more is read from this client."""


class Framing(Protocol):
    """Finds queries in a client's bytes, and frames their answers."""

    def feed(self, data: bytearray, answer: Answer) -> Step:
        """Answer the whole queries that `data` begins with, at most TCP_BATCH of them."""

    def frame(self, reply: bytes) -> bytes:
        """Frame an answer that comes later."""


class LengthFraming:
    """DNS over TCP and TLS: each message after its length."""

    __slots__ = ()

    def feed(self, data: bytearray, answer: Answer) -> Step:
        """Answer what is whole; length and body of an answer leave together (RFC 7766 8)."""
        at = 0
        replies: list[bytes] = []
        while len(data) - at >= 2 and len(replies) < TCP_BATCH:
            end = at + 2 + (data[at] << 8 | data[at + 1])
            if end > len(data):
                break
            reply = answer(bytes(data[at + 2 : end]))
            replies.append(self.frame(reply) if reply else b"")
            at = end
        return Step(at, b"".join(replies))

    def frame(self, reply: bytes) -> bytes:
        """Put the length in front."""
        return len(reply).to_bytes(2, "big") + reply
