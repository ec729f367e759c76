"""Smooth weighted round robin: exact shares, without bursts to the heaviest endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import add

from podway_proxy.balance.balancer import Weighted
from podway_proxy.values import Address, Endpoint


class SmoothWeighted:
    """Every pick adds to each endpoint its weight as credit; the richest pays the total.

    nginx's algorithm. In every `sum(weights)` picks in a row each endpoint is picked exactly
    `weight` times, evenly spread: 5:1:1 gives a a b a c a a. The credits' sum is always 0.
    """

    __slots__ = ("_credits", "_endpoints", "_retries", "_total", "_weights")

    def __init__(self, endpoints: Sequence[Weighted], credit: Mapping[Address, int]) -> None:
        """Begin with the given credits; what their sum lacks to 0 is shared out among all."""
        self._endpoints = tuple(endpoint for endpoint, _ in endpoints)
        self._weights = [weight for _, weight in endpoints]
        self._total = sum(self._weights)
        held = [credit.get(endpoint.address, 0) for endpoint in self._endpoints]
        each, rest = divmod(-sum(held), len(held))
        self._credits = [value + each + (at < rest) for at, value in enumerate(held)]
        # Retries have credits of their own. With those of the picks, the share of a dead endpoint
        # was seen to go to the others 20 % beside their weights (4:3:2:1 without the first).
        self._retries = [0] * len(held)

    def credit_for(self, total: int) -> dict[Address, int]:
        """Give the credits by address, scaled for a set whose weights sum up to `total`."""
        return {
            endpoint.address: value * total // self._total
            for endpoint, value in zip(self._endpoints, self._credits, strict=True)
        }

    def skip(self, picks: int) -> None:
        """Advance by some picks, so that not every worker begins with the same endpoint."""
        for _ in range(picks):
            self._pick()

    def candidates(self, client: str) -> Iterator[Endpoint]:
        """Give the pick, then for each retry a pick among those not tried."""
        first = self.first(client)
        yield first
        yield from self.others(first, client)

    def first(self, client: str) -> Endpoint:
        """Give the pick."""
        return self._endpoints[self._pick()]

    def others(self, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give for each retry a pick among those not tried."""
        tried = {self._endpoints.index(first)}
        while len(tried) < len(self._endpoints):
            another = self._pick_except(tried)
            tried.add(another)
            yield self._endpoints[another]

    def _pick(self) -> int:
        """Make one pick; the first of equals wins."""
        self._credits = values = list(map(add, self._credits, self._weights))
        best = values.index(max(values))
        values[best] -= self._total
        return best

    def _pick_except(self, tried: set[int]) -> int:
        """Make a pick for a retry, as if those tried were not there."""
        left = [at for at in range(len(self._weights)) if at not in tried]
        values = self._retries
        for at in left:
            values[at] += self._weights[at]
        best = max(left, key=values.__getitem__)
        values[best] -= sum(self._weights[at] for at in left)
        return best
