"""Random of two: two draws by weight, and the less busy of them."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random

from podway_proxy.balance.balancer import Weighted
from podway_proxy.balance.load import Load
from podway_proxy.values import Endpoint


class RandomTwo:
    """Avoids the busiest without all workers rushing to the same idlest one.

    With equal loads the first draw stands, so that shares are those of the weights.
    """

    __slots__ = ("_bounds", "_endpoints", "_load", "_random", "_weights")

    def __init__(self, endpoints: Sequence[Weighted], load: Load, random: Random) -> None:
        self._endpoints = tuple(endpoint for endpoint, _ in endpoints)
        self._weights = [weight for _, weight in endpoints]
        self._bounds = list(accumulate(self._weights))
        self._load = load
        self._random = random

    def candidates(self, client: str) -> Iterator[Endpoint]:
        """Give the less busy of two, then the others in a random order."""
        first = self.first(client)
        yield first
        yield from self.others(first, client)

    def first(self, client: str) -> Endpoint:
        """Give the less busy of two."""
        one, two = self._draw(), self._draw()
        if one != two and self._busier(one, two):
            one = two
        return self._endpoints[one]

    def others(self, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give all but the first in a random order."""
        one = self._endpoints.index(first)
        rest = [each for at, each in enumerate(self._endpoints) if at != one]
        self._random.shuffle(rest)
        return iter(rest)

    def _draw(self) -> int:
        """Draw a place with the probability weight / sum(weights)."""
        # random() is at most 1 - 2**-53, so that even after rounding the product is below the sum.
        return bisect(self._bounds, self._random.random() * self._bounds[-1])

    def _busier(self, one: int, two: int) -> bool:
        """Compare active / weight without dividing."""
        active, weights = self._load.active, self._weights
        return (
            active(self._endpoints[one]) * weights[two]
            > active(self._endpoints[two]) * weights[one]
        )
