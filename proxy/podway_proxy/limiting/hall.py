"""All waiting of one worker: whose turn it is, and when to look again."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from podway_proxy.limiting.bell import Bell
from podway_proxy.limiting.places import Places
from podway_proxy.limits import DEFAULT
from podway_proxy.plane.wheel import TICK

if TYPE_CHECKING:
    from podway_proxy.limiting.places import Serving
    from podway_proxy.limiting.table import Table
    from podway_proxy.plane.plane import Plane


class Hall:
    """Holds the Routes' places, and looks after the lines in front of them."""

    __slots__ = (
        "_count",
        "_due",
        "_places",
        "_serving",
        "_waited_for",
        "bell",
        "most",
        "plane",
        "table",
    )

    def __init__(
        self,
        plane: Plane,
        table: Table,
        serving: Callable[[str], Serving],
        bell: int = -1,
        count: Callable[[int], None] | None = None,
    ) -> None:
        """Take the daemon's table and bell.

        `serving(name)` gives what knows the endpoints of a Route; `count(1)` and `count(-1)` tell
        of who waits.
        """
        self._serving = serving
        self.most = DEFAULT.waiting_per_route
        """Who may wait for places of one Route."""
        self.plane = plane
        self.table = table
        self.bell = Bell(plane, bell, self._on_ring)
        self._count = count
        self._places: dict[str, Places] = {}
        self._waited_for: dict[Places, None] = {}
        """Those in front of which somebody waits, or did a tick ago."""
        self._due: dict[Places, None] = {}
        """Those of which a place was given back in this batch."""

    def places(self, name: str, most: int, patience: float = 5.0) -> Places:
        """Give the places of the Route of that name, with `most` and `patience` from now on."""
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = Places(self, name, self._serving(name), most)
        found.most, found.patience = most, patience
        return found

    def tidy(self, wanted: Collection[str]) -> None:
        """Forget Routes that are gone, once nobody is there any more."""
        for name in [name for name in self._places if name not in wanted]:
            if self._places[name].idle:
                del self._places[name]

    def joined(self, places: Places) -> None:
        """Look after somebody who has begun to wait."""
        if self._count is not None:
            self._count(1)
        if not self._waited_for:
            self.bell.listen()
            self.plane.deadline(self, self.plane.now + TICK)
        self._waited_for[places] = None

    def left(self) -> None:
        """Note that somebody waits no more."""
        if self._count is not None:
            self._count(-1)

    def serve_soon(self, places: Places) -> None:
        """See after this batch who is next: who gave the place back may take it again first."""
        if not self._due:
            self.plane.soon(self._serve_due)
        self._due[places] = None

    def on_deadline(self) -> None:
        """Let go on whoever can, whoever else was first: that one may never come."""
        self._serve(list(self._waited_for), patient=False)
        self._waited_for = {one: None for one in self._waited_for if one.waiting}
        if self._waited_for:
            self.plane.deadline(self, self.plane.now + TICK)
        else:
            self.bell.rest()
            self.plane.deadline(self, math.inf)

    def _on_ring(self) -> None:
        self._serve(list(self._waited_for), patient=True)

    def _serve_due(self) -> None:
        due, self._due = self._due, {}
        self._serve(list(due), patient=True)

    def _serve(self, every: list[Places], *, patient: bool) -> None:
        for places in every:
            if places.waiting:
                places.serve(patient=patient)
