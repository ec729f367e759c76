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


class InOrder:
    """The endpoints in the order given: for a set without a choice."""

    __slots__ = ("_endpoints",)

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)

    def candidates(self, client: str) -> Iterator[Endpoint]:
        """Give them in order, whoever the client is."""
        return iter(self._endpoints)


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
