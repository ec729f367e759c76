"""Who has a place of his own: given out by the loader, so that workers only index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import Any

from podway_proxy.counters import PLACES, Counters
from podway_router.access.naming import NO_SNI, PUBLIC, PUBLIC_TLS, SNI
from podway_router.entry import ROUTE
from podway_router.metering.columns import FRONTENDS, SERVERS

MOST_SERVERS = 500
"""Endpoints with places of their own (the OpenShift router's threshold: beyond it there are only
the numbers of backends)."""
_FRONTENDS = tuple(FRONTENDS + name for name in (PUBLIC, PUBLIC_TLS, SNI, NO_SNI))
MOST_ROUTES = PLACES - MOST_SERVERS - len(_FRONTENDS) - 1


class Places:
    """The places of Routes, and of frontends and endpoints where those are asked for.

    Who has one keeps it as long as it is there, over loaders and generations of workers: the names
    stand in the counters' file.
    """

    def __init__(self, counters: Counters, most: int, servers: bool) -> None:
        """`most`: Routes that get a place; `servers`: endpoints get places, too."""
        self._counters = counters
        self._most = min(most, MOST_ROUTES)
        self._servers = servers
        self._taken = counters.places()

    @property
    def taken(self) -> Mapping[str, int]:
        """The places by name; 0 is everybody else's."""
        return self._taken

    def settle(self, entries: Mapping[str, Any]) -> Mapping[str, int]:
        """Give places to what is there now, and take back those of what is gone."""
        wanted = self._wanted(entries)
        if wanted.keys() != self._taken.keys():
            self._change(wanted)
        return self._taken

    def _wanted(self, entries: Mapping[str, Any]) -> dict[str, None]:
        kept = [key for key in self._taken if key.startswith(ROUTE) and key in entries]
        routes = dict.fromkeys(kept[: self._most])
        free = self._most - len(routes)
        if free:
            fresh = (key for key in entries if key.startswith(ROUTE) and key not in routes)
            routes |= dict.fromkeys(nsmallest(free, fresh))
        if not self._servers:
            return routes
        servers = list(_servers(routes, entries))[:MOST_SERVERS]
        return dict.fromkeys((*_FRONTENDS, *routes, *servers))

    def _change(self, wanted: Mapping[str, None]) -> None:
        for name in self._taken.keys() - wanted.keys():
            self._counters.give_place(self._taken[name], "")
        kept = {name: at for name, at in self._taken.items() if name in wanted}
        free = iter(sorted(set(range(1, PLACES)) - set(kept.values())))
        for name in wanted:
            if name not in kept:
                kept[name] = next(free)
                self._counters.give_place(kept[name], name)
        self._taken = kept


def _servers(routes: Iterable[str], entries: Mapping[str, Any]) -> Iterable[str]:
    for key in routes:
        for host, port, *_ in entries[key].get("endpoints", ()):
            yield f"{SERVERS}{key.removeprefix(ROUTE)}/{host}:{port}"
