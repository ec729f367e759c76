"""How much one client may ask of one Route: OpenShift's rate limits, per daemon.

The rules are those of OpenShift's template for HAProxy, counted as HAProxy 2.6 counts them: an
arrival is a connection where TCP is handed through, and a request in HTTP; it counts itself, so
that a limit of N lets N-1 at once, save for the rate of requests, which lets N.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from podway_proxy.limiting.table import ACTIVE, Table
from podway_proxy.limiting.window import Window

CONNECTIONS: Final = 2
REQUESTS: Final = 5
"""Where in a cell the window of each rate begins."""
CONNECTION_PERIOD: Final = 3_000
REQUEST_PERIOD: Final = 10_000
"""Milliseconds over which the rates are taken (`conn_rate(3s),http_req_rate(10s)`)."""


REMEMBERED: Final = 1_024
"""Keys that a worker does not make anew (2 us) for each request of a client."""


class Rules(NamedTuple):
    """What one client may ask of one Route; None: as much as it likes."""

    concurrent: int | None = None
    """`concurrent-tcp`: as many less one at once."""
    connections: int | None = None
    """`rate-tcp`: as many less one in 3 s; those that were refused count as well."""
    requests: int | None = None
    """`rate-http`: as many in 10 s; those that were refused do not count."""


class Clients:
    """Counts what each client asks of each Route, over all workers of the daemon."""

    __slots__ = ("_table", "key")

    def __init__(self, table: Table) -> None:
        self._table = table
        self.key = lru_cache(REMEMBERED)(self._key)
        """`key(route, client)` is what a client of a Route is counted under."""

    def _key(self, route: str, client: str) -> int:
        return self._table.key(f"client {route} {client}")

    def refusal(self, key: int, rules: Rules, now: float, *, http: bool) -> str:
        """Count an arrival at `now` (seconds), and say which limit it is beyond; empty: of none.

        Beside the Routes' limits there is one of the table's own: where no cell is to be had, as
        something is under way in all that would do, the client is let through uncounted.
        """
        at = self._table.claim(key)
        if at < 0:
            return ""
        moment = int(now * 1000)
        others = self._table.others(key)
        if rules.connections is not None:
            self._add(at, CONNECTIONS, moment, CONNECTION_PERIOD)
        if rules.concurrent is not None and self._under_way(at, others) + 1 >= rules.concurrent:
            return f"rate-limit-connections.concurrent-tcp is {rules.concurrent}"
        if rules.connections is not None:
            rate = self._rate([at, *others], CONNECTIONS, moment, CONNECTION_PERIOD)
            if rate >= rules.connections:
                return f"rate-limit-connections.rate-tcp is {rules.connections} in 3 s"
        if http and rules.requests is not None:
            rate = self._rate([at, *others], REQUESTS, moment, REQUEST_PERIOD)
            if rate >= rules.requests:
                return f"rate-limit-connections.rate-http is {rules.requests} in 10 s"
            self._add(at, REQUESTS, moment, REQUEST_PERIOD)
        return ""

    def began(self, key: int) -> bool:
        """Count something of the client's as under way; False: it is not, so it must not end."""
        at = self._table.claim(key)
        if at >= 0:
            self._table.words[at + ACTIVE] += 1
        return at >= 0

    def ended(self, key: int) -> None:
        """Count it no more."""
        at = self._table.find(key)
        if at >= 0:
            self._table.words[at + ACTIVE] -= 1

    def _under_way(self, at: int, others: list[int]) -> int:
        return sum(self._table.words[one + ACTIVE] for one in (at, *others))

    def _rate(self, cells: list[int], where: int, now: int, period: int) -> int:
        return sum(self._window(at + where).weight(now, period) for at in cells) // period

    def _add(self, at: int, where: int, now: int, period: int) -> None:
        at += where
        words = self._table.words
        words[at], words[at + 1], words[at + 2] = self._window(at).added(now, period)

    def _window(self, at: int) -> Window:
        words = self._table.words
        return Window(words[at], words[at + 1], words[at + 2])
