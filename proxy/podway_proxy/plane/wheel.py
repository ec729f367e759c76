"""Coarse deadlines: one wheel for all connections instead of a timer for each. Pure."""

from __future__ import annotations

import math
from typing import Protocol

TICK = 0.25
"""Seconds between two looks at the wheel: how late a deadline may be."""
SLOTS = 256
"""Slots of the wheel (64 s of ticks); what lies further off is filed again when its slot comes."""


class Timed(Protocol):
    """What has a deadline; hashable by identity."""

    def on_deadline(self) -> None:
        """Act: the deadline has passed."""


class Wheel:
    """Deadlines to the quarter of a second, each set, moved and cancelled in constant time.

    A deadline that moves further off is not filed anew: its old slot comes, finds it not yet due
    and files it again. So a connection may put off its deadline with every byte at small cost.
    """

    __slots__ = ("_due", "_filed", "_slots", "_tick")

    def __init__(self, now: float) -> None:
        self._tick = int(now / TICK)
        self._slots: list[set[Timed]] = [set() for _ in range(SLOTS)]
        self._due: dict[Timed, float] = {}
        self._filed: dict[Timed, int] = {}

    def __len__(self) -> int:
        """Give how many deadlines are set."""
        return len(self._due)

    def put(self, timed: Timed, at: float) -> None:
        """Have `timed` fall due at `at` (seconds of the clock given to `due`); inf cancels."""
        if at == math.inf:
            self._cancel(timed)
            return
        self._due[timed] = at
        tick = max(math.ceil(at / TICK), self._tick + 1)
        filed = self._filed.get(timed)
        if filed is None:
            self._file(timed, tick)
        elif filed > tick:
            self._slots[filed % SLOTS].discard(timed)
            self._file(timed, tick)

    def due(self, now: float) -> list[Timed]:
        """Advance to `now` and take out all that is due."""
        last = int(now / TICK)
        first = max(self._tick + 1, last - SLOTS + 1)
        self._tick = max(self._tick, last)
        late: list[Timed] = []
        for tick in range(first, last + 1):
            slot = self._slots[tick % SLOTS]
            if slot:
                self._slots[tick % SLOTS] = set()
                self._sort(slot, now, late)
        return late

    def _sort(self, slot: set[Timed], now: float, late: list[Timed]) -> None:
        for timed in slot:
            at = self._due[timed]
            if at <= now:
                del self._due[timed], self._filed[timed]
                late.append(timed)
            else:
                self._file(timed, max(math.ceil(at / TICK), self._tick + 1))

    def _file(self, timed: Timed, tick: int) -> None:
        tick = min(tick, self._tick + SLOTS - 1)
        self._filed[timed] = tick
        self._slots[tick % SLOTS].add(timed)

    def _cancel(self, timed: Timed) -> None:
        filed = self._filed.pop(timed, None)
        if filed is not None:
            del self._due[timed]
            self._slots[filed % SLOTS].discard(timed)
