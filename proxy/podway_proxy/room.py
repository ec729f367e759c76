"""How many clients a daemon may have at once: its listeners rest while there is no room.

The count is over all of the daemon's workers, those of draining generations included (the shared
gauges are the sum); besides, a worker takes no more clients than its descriptors are enough for.
Who finds no room waits in the kernel's queue and is not refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from podway_proxy.plane.wheel import TICK
from podway_proxy.process import descriptors

if TYPE_CHECKING:
    from podway_proxy.counters import Counters
    from podway_proxy.log import Log
    from podway_proxy.plane.listener import Listener
    from podway_proxy.plane.plane import Plane

SILENCE = 60.0
"""Seconds between two warnings of a lack of descriptors."""


GRANT: Final = 32
"""Most clients that a worker takes between two looks at all workers' gauges (2 us each)."""
SHARES: Final = 8
"""Near the limit it takes fewer: this part of the room, shared out to all rows of the counters."""


class Room:
    """Watches the gauges of open connections on behalf of one worker's listeners."""

    __slots__ = (
        "_counters",
        "_granted",
        "_listeners",
        "_log",
        "_plane",
        "_slots",
        "_warned",
        "full",
        "here",
        "most",
    )

    def __init__(
        self, plane: Plane, log: Log, counters: Counters, gauges: Iterable[str], most: int
    ) -> None:
        """Take the names of the gauges that together count the daemon's clients."""
        self.here = descriptors.clients_within(descriptors.limit())
        """Clients of this worker: each takes two descriptors."""
        self._warned = -math.inf
        """When the log was last told of a lack of descriptors."""
        self._plane = plane
        self._log = log
        self._counters = counters
        self._slots = tuple(counters.slot(name) for name in gauges)
        self._listeners: list[Listener] = []
        self.most = most
        """Clients per daemon (maxConnections); several workers may overshoot it, each by as many
        as it takes between two looks."""
        self.full = False
        self._granted = 0
        """How many may come before the next look."""

    def add(self, listener: Listener) -> None:
        """Let a listener rest whenever there is no room."""
        self._listeners.append(listener)
        if self.full:
            listener.pause()

    def remove(self, listener: Listener) -> None:
        """Leave a listener alone: it is about to be closed."""
        self._listeners.remove(listener)
        if not self._listeners:
            self.full = False
            self._plane.deadline(self, math.inf)

    def took(self) -> None:
        """Look whether the client that was just accepted and counted was the last one."""
        self._granted -= 1
        if self._granted < 0 and not self.full:
            self._look()

    def _look(self) -> None:
        here, clients = self._here(), self._clients()
        if here >= self.here or clients >= self.most:
            self.full = True
            self._log.warn("no room for more connections", why=self._why())
            for listener in self._listeners:
                listener.pause()
            self._plane.deadline(self, self._plane.now + TICK)
        else:
            share = (self.most - clients) // (SHARES * self._counters.rows)
            self._granted = min(GRANT, share, self.here - here - 1)

    def on_deadline(self) -> None:
        """Accept again once there is room: another worker's client may have left."""
        if self._taken():
            self._plane.deadline(self, self._plane.now + TICK)
            return
        self.full = False
        self._log.info("room for connections again")
        for listener in list(self._listeners):
            listener.resume()

    def starved(self) -> None:
        """Warn that a listener found no descriptor free, once in a while."""
        if self._plane.now - self._warned >= SILENCE:
            self._warned = self._plane.now
            self._log.warn(
                "out of descriptors: new connections wait",
                limit=descriptors.limit(),
                advice="raise the hard limit: ulimit -Hn, LimitNOFILE=, --ulimit nofile=",
            )

    def _taken(self) -> bool:
        return self._here() >= self.here or self._clients() >= self.most

    def _why(self) -> str:
        if self._here() >= self.here:
            limit = descriptors.limit()
            return f"{limit} descriptors are enough for {self.here} clients of a worker"
        return f"maxConnections is {self.most}"

    def _here(self) -> int:
        return sum(self._counters[slot] for slot in self._slots)

    def _clients(self) -> int:
        return sum(self._counters.total(slot) for slot in self._slots)
