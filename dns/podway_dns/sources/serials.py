"""Serials that move whenever, and only when, a zone's content does (RFC 1982). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Mark(NamedTuple):
    """The last version of a zone that was handed out."""

    digest: str
    serial: int
    base: int
    """The serial in the zone's file, 0 without a file."""


def advance(last: Mark | None, digest: str, base: int, now: int) -> Mark:
    """Give the mark of a zone with that content; `now` is Unix time in seconds.

    A zone without a file counts in seconds since the epoch, so that a restarted server goes on
    upwards. With a file the operator's serial counts; where only objects moved, it is raised.
    """
    if last is None:
        return Mark(digest, base or now, base)
    if last.digest == digest and last.base == base:
        return last
    following = (last.serial + 1) & 0xFFFFFFFF
    candidate = base or now
    moved = base != last.base if base else True
    return Mark(digest, candidate if moved and newer(candidate, last.serial) else following, base)


def newer(left: int, right: int) -> bool:
    """Compare serials as RFC 1982 section 3.2 has it."""
    return 0 < ((left - right) & 0xFFFFFFFF) < 0x80000000


def restore(held: Mapping[str, Sequence[Any]] | None) -> dict[str, Mark]:
    """Read the marks that the loader before this one left, as JSON gave them back."""
    return {zone: Mark(*mark) for zone, mark in (held or {}).items()}
