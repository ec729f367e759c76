"""Least connections: the endpoint that would be the least busy with one more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from podway_proxy.balance.balancer import Weighted
from podway_proxy.balance.load import Load
from podway_proxy.values import Endpoint


class LeastConn:
    """Picks the smallest (active + 1) / weight; equals take turns.

    Counting the connection to come makes weights hold from the first one on: of 10:1, nine go to
    the heavier before one goes to the lighter.
    """

    __slots__ = ("_endpoints", "_load", "_next", "_places")

    def __init__(self, endpoints: Sequence[Weighted], load: Load, start: int) -> None:
        self._endpoints = tuple(endpoint for endpoint, _ in endpoints)
        self._places = [(endpoint.address, weight) for endpoint, weight in endpoints]
        self._load = load
        self._next = start

    def candidates(self, client: str) -> Iterator[Endpoint]:
        """Give the least busy, and for a retry the least busy then of those not tried."""
        first = self.first(client)
        yield first
        yield from self.others(first, client)

    def first(self, client: str) -> Endpoint:
        """Give the least busy."""
        scores = self._scores()
        return self._endpoints[self._in_turn(scores, min(scores))]

    def others(self, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give the least busy then of those not tried, each time."""
        tried = [self._endpoints.index(first)]
        while len(tried) < len(self._endpoints):
            scores = self._scores()
            for at in tried:
                scores[at] = inf
            best = self._in_turn(scores, min(scores))
            tried.append(best)
            yield self._endpoints[best]

    def _scores(self) -> list[float]:
        active = self._load.active_at
        return [(active(address, 0) + 1) / weight for address, weight in self._places]

    def _in_turn(self, scores: list[float], least: float) -> int:
        """Find the first with the least score, beginning after the last one picked."""
        start = self._next
        best = scores.index(least, start if least in scores[start:] else 0)
        self._next = best + 1
        return best
