"""What every policy offers, and the two sets that need no policy: none and one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from podway_proxy.values import Endpoint

Weighted = tuple[Endpoint, int]
"""An endpoint and its weight: any integer from 0 up, only the ratios count."""


class Balancer(Protocol):
    """One set of endpoints under one policy."""

    def candidates(self, client: str) -> Iterator[Endpoint]:
        """Give the endpoints in the order in which to try them, each at most once.

        `client` is the client's IP address. Evaluated as it is consumed: taking the first costs
        one pick, and each further one counts as a pick for the endpoint that gets it.
        """
        ...

    def first(self, client: str) -> Endpoint | None:
        """Give what `candidates` gives first, for less; None: there is no endpoint."""
        ...

    def others(self, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give what `candidates` gives behind `first`, which has failed; evaluated likewise."""
        ...


class InOrder:
    """The endpoints in the order given: for a set without a choice."""

    __slots__ = ("_endpoints",)

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)

    def candidates(self, client: str) -> Iterator[Endpoint]:
        """Give them in order, whoever the client is."""
        return iter(self._endpoints)

    def first(self, client: str) -> Endpoint | None:
        """Give the one at the front."""
        return self._endpoints[0] if self._endpoints else None

    def others(self, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give those behind it."""
        return iter(self._endpoints[1:])


class WithLastResort:
    """A balancer followed by endpoints that are tried only when all of its own have failed."""

    __slots__ = ("_last", "chosen")

    def __init__(self, chosen: Balancer, last: Sequence[Endpoint]) -> None:
        self.chosen = chosen
        self._last = tuple(last)

    def candidates(self, client: str) -> Iterator[Endpoint]:
        """Give the balancer's candidates, then the last resort in order."""
        yield from self.chosen.candidates(client)
        yield from self._last

    def first(self, client: str) -> Endpoint | None:
        """Give the balancer's, and without one the first of the last resort."""
        found = self.chosen.first(client)
        return found if found is not None else self._last[0]

    def others(self, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give the balancer's, then the last resort."""
        if first is self._last[0]:
            yield from self._last[1:]
            return
        yield from self.chosen.others(first, client)
        yield from self._last
