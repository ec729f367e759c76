"""One request's or connection's way through a Route's limits: the gate of `podway_proxy.gate`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podway_proxy.limiting.clients import Clients
    from podway_proxy.limiting.hall import Hall
    from podway_proxy.limiting.places import Places
    from podway_proxy.values import Address, Endpoint

Told = Callable[["Endpoint"], None]


class Visit:
    """Counts as its client's from `enter` on, and has a place while it is with an endpoint.

    `opened` and `closed` go into `on_open` and `on_close` of its target; they tell `began` and
    `ended` in turn. Both may follow each other several times: a request can be sent again.
    """

    __slots__ = (
        "_began",
        "_client",
        "_clients",
        "_counted",
        "_ended",
        "_fail",
        "_faithful",
        "_go",
        "_hall",
        "_host",
        "_joined",
        "_open",
        "_own",
        "_places",
        "_taken",
        "_waits",
        "since",
    )

    def __init__(
        self, hall: Hall, host: str, began: Told | None = None, ended: Told | None = None
    ) -> None:
        """Make the way of a client at that IP address."""
        self._hall = hall
        self._host = host
        self._began = began
        self._ended = ended
        self._clients: Clients | None = None
        self._client = 0
        self._counted = False
        self._places: Places | None = None
        self._faithful = False
        self._own: Endpoint | None = None
        """The only endpoint that will do."""
        self._taken: Address | None = None
        """Where it has a place."""
        self._open = False
        """It uses that place: `closed` will give it back."""
        self._waits = False
        self._joined = False
        """It waits in a line; who does not waits to be told that the line is full."""
        self.since = 0

    def counting(self, clients: Clients, key: int) -> Visit:
        """Count as under way for the client of this key."""
        self._clients = clients
        self._client = key
        return self

    def placed(self, places: Places, *, faithful: bool = False) -> Visit:
        """Need a place; `faithful`: at the first candidate, not at any that has room."""
        self._places = places
        self._faithful = faithful
        return self

    # ---- the gate --------------------------------------------------------------------------

    def enter(
        self,
        candidates: Iterator[Endpoint],
        go: Callable[[Iterator[Endpoint]], None],
        fail: Callable[[str], None],
    ) -> Iterator[Endpoint] | None:
        """See `Gate`."""
        self._count()
        places = self._places
        if places is None:
            return candidates
        self._go, self._fail = go, fail
        first = next(candidates, None)
        if first is None:
            return candidates
        self._own = first if self._faithful else None
        if not places.crowded(self._wanted):
            found = self._find(places, itertools.chain((first,), candidates))
            if found is not None:
                return found
        self._wait(places)
        return None

    def cancel(self) -> None:
        """See `Gate`."""
        self._leave()
        if not self._open:
            self._give()
            self._uncount()

    def opened(self, endpoint: Endpoint) -> None:
        """Take note that an endpoint is in use."""
        self._count()
        if self._places is not None and self._taken is None:
            self._taken = endpoint.address
            self._places.force(self._taken)
        self._open = True
        if self._began is not None:
            self._began(endpoint)

    def closed(self, endpoint: Endpoint) -> None:
        """Take note that it is not any more."""
        self._open = False
        self._give()
        self._uncount()
        if self._ended is not None:
            self._ended(endpoint)

    @property
    def _wanted(self) -> Address | None:
        return None if self._own is None else self._own.address

    # ---- waiting ---------------------------------------------------------------------------

    def try_again(self) -> bool:
        """Go on if there is room now."""
        places = self._places
        if places is None:
            return True
        if self._own is not None and not places.serving.has(self._own.address):
            places.leave(self, self._wanted)
            self._own = None  # it is gone: any other will do from now on
            places.join(self, None)
            return True
        found = self._find(places, places.serving.choose(self._host))
        if found is None:
            return False
        self._leave()
        self._go(found)
        return True

    def on_deadline(self) -> None:
        """Be turned away."""
        places = self._places
        if places is None:
            return
        why = f"no pod had room within {places.patience:g} s"
        if not self._joined:
            why = f"{self._hall.most} are waiting for a pod to have room"
        self.cancel()
        self._fail(f"{why} (pod-concurrent-connections is {places.most})")

    def _wait(self, places: Places) -> None:
        plane = self._hall.plane
        self._waits = True
        self._joined = places.waiting < self._hall.most
        if self._joined:
            self.since = int(plane.now * 1000)
            places.join(self, self._wanted)
            plane.deadline(self, plane.now + places.patience)
        else:
            plane.deadline(self, plane.now)

    def _leave(self) -> None:
        """Wait no more."""
        if self._waits:
            self._waits = False
            self._hall.plane.deadline(self, math.inf)
            if self._joined and self._places is not None:
                self._places.leave(self, self._wanted)

    def _find(self, places: Places, every: Iterator[Endpoint]) -> Iterator[Endpoint] | None:
        """Give the candidates from the first with room on, its place taken; None: there is none."""
        own = self._own
        if own is None:
            first = places.first(every)
        else:
            first = own if places.take(own.address) else None
            every = (endpoint for endpoint in every if endpoint.address != own.address)
        if first is None:
            return None
        self._taken = first.address
        return self._each(places, first, every)

    def _each(
        self, places: Places, first: Endpoint, others: Iterator[Endpoint]
    ) -> Iterator[Endpoint]:
        yield first
        for endpoint in others:
            if not self._open:
                self._give()  # asked for another: that one could not be connected to
            if places.take(endpoint.address):
                self._taken = endpoint.address
                yield endpoint
        if not self._open:
            self._give()

    # ---- what is held ----------------------------------------------------------------------

    def _give(self) -> None:
        if self._taken is not None and self._places is not None:
            address, self._taken = self._taken, None
            self._places.give(address)

    def _count(self) -> None:
        if self._clients is not None and not self._counted:
            self._counted = self._clients.began(self._client)

    def _uncount(self) -> None:
        if self._counted and self._clients is not None:
            self._counted = False
            self._clients.ended(self._client)
