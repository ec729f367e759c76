"""Endpoints that could not be connected to a moment ago: tried last until some seconds are over.

Checks find a dead endpoint after three intervals, and there are none where only one endpoint is
active; what connecting shows is known at once. It is one worker's experience, and it only changes
the order: no endpoint is left out for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from podway_proxy.values import Address, Endpoint

HOLD: Final = 5.0
"""Seconds: as long as the checks' interval (OpenShift's healthCheckInterval)."""
_MOST: Final = 10_000
"""Most endpoints that are remembered: some 2 MB."""


class Refusing:
    """Which endpoints failed, and until when that counts. Times are the caller's clock."""

    __slots__ = ("_until", "until")

    def __init__(self) -> None:
        self._until: dict[Address, float] = {}
        self.until: Mapping[Address, float] = self._until
        """Always the same mapping: whether it is empty may be asked of it directly."""

    def __bool__(self) -> bool:
        """Tell whether any endpoint is remembered: where none is, nothing need be asked."""
        return bool(self._until)

    def failed(self, endpoint: Endpoint, now: float) -> None:
        """Note that an endpoint could not be connected to."""
        if len(self._until) < _MOST:
            self._until[endpoint.host, endpoint.port] = now + HOLD

    def last(self, candidates: Iterator[Endpoint], now: float) -> Iterator[Endpoint]:
        """Give the candidates in their order, those that failed behind the others."""
        self._forget(now)
        if not self._until:
            return candidates
        return self._in_two(candidates)

    def _in_two(self, candidates: Iterator[Endpoint]) -> Iterator[Endpoint]:
        behind = []
        for endpoint in candidates:
            if (endpoint.host, endpoint.port) in self._until:
                behind.append(endpoint)
            else:
                yield endpoint
        yield from behind

    def _forget(self, now: float) -> None:
        over = [address for address, until in self._until.items() if until <= now]
        for address in over:
            del self._until[address]
