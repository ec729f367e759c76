"""Says what is wrong with the objects: each problem when it begins, and when it is no more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from podway_proxy.log import Log

MOST: Final = 100
"""Problems that one change logs: of 10,000 bad files nobody reads the lines one by one."""


def report(log: Log, before: Iterable[str], now: Iterable[str]) -> None:
    """Log which problems are new and which are solved, as finished lines."""
    known, there = set(before), dict.fromkeys(now)
    new = [line for line in there if line not in known]
    for line in new[:MOST]:
        log.warn("problem", what=line)
    if len(new) > MOST:
        log.warn(f"{len(new) - MOST} more problems", advice="--check lists them all")
    for line in sorted(known.difference(there))[:MOST]:
        log.info("problem solved", what=line)
