"""A worker's numbers by Route, frontend and endpoint."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import TYPE_CHECKING

from podway_router.metering.columns import (
    CONNECT_TIME,
    CONNECTIONS,
    CUT,
    FRONTENDS,
    NEW,
    RECEIVED,
    RESPONSE_FAILURES,
    RESPONSE_TIME,
    RESPONSES,
    SENT,
    SERVERS,
)

if TYPE_CHECKING:
    from podway_proxy.counters import Counters
    from podway_router.access.facts import Facts

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: upper ends of the histogram's buckets."""
_BUCKETS = tuple(
    f"request_seconds_bucket:le={bound}" for bound in (*(f"{one:g}" for one in BOUNDS), "+Inf")
)
_SUM = "request_seconds_sum"
COUNTERS = (*_BUCKETS, _SUM)
_NANOSECONDS = 1e9
_FAILED = frozenset(("reset", "bad-answer", "server-timeout"))


class Meter:
    """Gives each Route its place, and counts what records tell where somebody wants to know."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._row = counters.row
        self._buckets = [counters.slot(name) for name in _BUCKETS]
        self._sum = counters.slot(_SUM)
        self._places: Mapping[str, int] = {}
        self._known: dict[str, memoryview] = {}

    def settle(self, places: Mapping[str, int]) -> None:
        """Go by these places from now on."""
        if places != self._places:
            self._places = places
            self._known.clear()

    def of(self, name: str) -> memoryview:
        """Give the numbers of a Route's place, or of everybody else's."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._counters.place(self._places.get(name, 0))
        return found

    def told(self, facts: Facts, key: str) -> None:
        """Count a request in full: bytes, times, frontend and endpoint. `key`: the Route's."""
        record = facts.record
        self._row[self._buckets[bisect_left(BOUNDS, record.seconds)]] += 1
        self._row[self._sum] += int(record.seconds * _NANOSECONDS)
        kind = CUT if record.step == "aborted" else record.status // 100
        frontend = FRONTENDS + facts.names.frontend
        if frontend in self._places:
            _count(self.of(frontend), facts, kind)
        if key:
            _add(self.of(key), facts)
            if record.endpoint is not None:
                host, port = record.endpoint.address
                server = f"{SERVERS}{key.partition('/')[2]}/{host}:{port}"
                if server in self._places:
                    counts = self.of(server)
                    _count(counts, facts, kind)

    def passed(self, key: str, received: int, sent: int) -> None:
        """Count a connection that was handed through: `key` is its Route's or frontend's."""
        counts = self.of(key)
        counts[CONNECTIONS] += 1
        counts[RECEIVED] += received
        counts[SENT] += sent

    def passed_front(self, facts: Facts) -> None:
        """Count it at its frontend."""
        frontend = FRONTENDS + facts.names.frontend
        if frontend in self._places:
            self.passed(frontend, facts.watched.received, facts.watched.sent)


def _count(counts: memoryview, facts: Facts, kind: int) -> None:
    counts[kind] += 1
    _add(counts, facts)


def _add(counts: memoryview, facts: Facts) -> None:
    watched = facts.watched
    counts[RECEIVED] += watched.received
    counts[SENT] += watched.sent
    if facts.record.step in _FAILED:
        counts[RESPONSE_FAILURES] += 1
    if watched.response >= 0:
        counts[RESPONSES] += 1
        counts[RESPONSE_TIME] += int(watched.response * _NANOSECONDS)
    if watched.connect > 0:
        counts[NEW] += 1
        counts[CONNECT_TIME] += int(watched.connect * _NANOSECONDS)
