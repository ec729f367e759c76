"""Coarse deadlines: one wheel for all connections instead of a timer for each. Pure."""

from __future__ import annotations

import math
from typing import Protocol

TICK = 0.25
"""Seconds between two looks at the wheel: how late a deadline may be."""
SLOTS = 256
"""Slots of the wheel: 64 s of ticks; what lies further off waits for its round."""


class Timed(Protocol):
    """What has a deadline; hashable by identity."""

    def on_deadline(self) -> None:
        """Act: the deadline has passed."""


class Wheel:
    """Deadlines to the quarter of a second, each set, moved and cancelled in constant time."""

    __slots__ = ("_filed", "_slots", "_tick")

    def __init__(self, now: float) -> None:
        self._tick = int(now / TICK)
        self._slots: list[set[Timed]] = [set() for _ in range(SLOTS)]
        self._filed: dict[Timed, int] = {}
        """The tick at which each falls due; its slot is that, modulo the slots."""

    def __len__(self) -> int:
        """Give how many deadlines are set."""
        return len(self._filed)

    def put(self, timed: Timed, at: float) -> None:
        """Have `timed` fall due at `at` (seconds of the clock given to `due`); inf cancels."""
        filed = self._filed.pop(timed, None)
        if filed is not None:
            self._slots[filed % SLOTS].discard(timed)
        if at != math.inf:
            tick = math.ceil(at / TICK)
            if tick <= self._tick:
                tick = self._tick + 1
            self._filed[timed] = tick
            self._slots[tick % SLOTS].add(timed)

    def due(self, now: float) -> list[Timed]:
        """Advance to `now` and take out all that is due."""
        last = int(now / TICK)
        first = max(self._tick + 1, last - SLOTS + 1)
        self._tick = max(self._tick, last)
        late: list[Timed] = []
        for tick in range(first, last + 1):
            slot = self._slots[tick % SLOTS]
            if slot:
                # What is filed for another round of the wheel stays where it is.
                late += [timed for timed in slot if self._filed[timed] <= last]
        for timed in late:
            self.put(timed, math.inf)
        return late
