"""Slow start: an endpoint that comes, or comes back, gets its share little by little.

Its weight grows in a straight line over some seconds, in steps of a hundredth. That does the right
thing under every policy: shares of round robin and random, the load that leastconn compares, the
clients that source hands over. Times are the caller's clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from podway_proxy.balance.balancer import Weighted
from podway_proxy.values import Address

_WHOLE: Final = 100
"""Steps of a weight; the least is one of them, so that an endpoint is never left without."""
NOBODY: Final[Mapping[Address, float]] = MappingProxyType({})


class Ramp(NamedTuple):
    """How long the growth takes, and where the clock stands."""

    seconds: float = 0.0
    """0: endpoints get their whole share at once."""
    now: float = 0.0

    def rising(
        self,
        before: Collection[Address],
        after: Collection[Address],
        since: Mapping[Address, float] = NOBODY,
    ) -> Mapping[Address, float]:
        """Give since when the endpoints of a set grow that do: those that were not there before.

        `before` and `after` are those that may be chosen; `since` is this function's last answer.
        Where none of those before is left, there is nobody to take the others' load meanwhile,
        and all start in full.
        """
        if not self.seconds or not any(address in before for address in after):
            return NOBODY
        found = {
            address: since.get(address, self.now)
            for address in after
            if address not in before or address in since
        }
        return {address: at for address, at in found.items() if at + self.seconds > self.now}

    def weigh(
        self, endpoints: Sequence[Weighted], since: Mapping[Address, float]
    ) -> Sequence[Weighted]:
        """Give the endpoints with the weights that they have now; only the ratios count."""
        if not since:
            return endpoints
        return [
            (endpoint, weight * self._part(since.get(endpoint.address)))
            for endpoint, weight in endpoints
        ]

    def _part(self, at: float | None) -> int:
        if at is None:
            return _WHOLE
        return min(_WHOLE, max(1, int(_WHOLE * (self.now - at) / self.seconds)))
