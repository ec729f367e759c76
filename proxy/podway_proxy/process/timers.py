"""Timers for a loop around poll: when to wake up, and what to do then."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from typing import NamedTuple


class _Timer(NamedTuple):
    at: float
    order: int
    call: Callable[[], None]


class Timers:
    """Calls that are due later, by the monotonic clock."""

    __slots__ = ("_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[_Timer] = []
        self._order = 0

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once, that many seconds from now."""
        self._order += 1
        heapq.heappush(self._heap, _Timer(time.monotonic() + seconds, self._order, call))

    def wait_ms(self, longest: int) -> int:
        """Give how long poll may wait, in milliseconds, rounded up."""
        if not self._heap:
            return longest
        left = self._heap[0].at - time.monotonic()
        return max(0, min(longest, int(left * 1000) + 1))

    def run(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        while self._heap and self._heap[0].at <= now:
            heapq.heappop(self._heap).call()
