"""The clock of slow start: renews weights while endpoints grow, and sleeps otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from podway_proxy.balance.slow_start import Ramp

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane
    from podway_router.ways import Map

_STEPS = 20
"""How often weights are renewed on the way up."""
_SHORTEST = 0.25
"""Seconds between two renewals at least: the plane's tick."""


class Climb:
    """One worker's; `step` renews the weights of the map and hands it to `follow`."""

    def __init__(self, plane: Plane, seconds: float, step: Callable[[], None]) -> None:
        self._plane = plane
        self._seconds = seconds
        self._step = step

    def ramp(self) -> Ramp:
        """Give the ramp as it stands now."""
        return Ramp(self._seconds, self._plane.now)

    def follow(self, current: Map) -> None:
        """See to the next step if this map has endpoints that grow."""
        if self._seconds and any(way.rising for way in current.ways.values()):
            pause = max(self._seconds / _STEPS, _SHORTEST)
            self._plane.deadline(self, self._plane.now + pause)

    def on_deadline(self) -> None:
        """Take the step."""
        self._step()
