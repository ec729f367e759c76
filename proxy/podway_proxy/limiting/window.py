"""How many events there were in the last period: two counters and a clock, as HAProxy has it. Pure.

A period's events are counted whole while it lasts; those of the period before fade away with the
time that has passed since (freq_ctr of HAProxy 2.6). Times are whole milliseconds.
"""

from __future__ import annotations

from typing import NamedTuple


class Window(NamedTuple):
    """When the current period began, its events so far, and those of the period before."""

    start: int = 0
    current: int = 0
    past: int = 0

    def added(self, now: int, period: int) -> Window:
        """Give the window with one more event."""
        since = now - self.start
        if since < period:
            return Window(self.start, self.current + 1, self.past)
        if since < 2 * period:
            return Window(self.start + period, 1, self.current)
        return Window(now, 1, 0)

    def weight(self, now: int, period: int) -> int:
        """Give the events of the period that ends now, times `period`.

        So that windows can be added up before the division loses anything.
        """
        current, past = self.current, self.past
        remain = self.start + period - now
        if remain < 0:
            remain += period
            past = current if remain >= 0 else 0
            current = 0
        if not current and past <= 1:
            return past * period  # one event does not fade: else a rate of one would never be seen
        return past * remain + current * period
