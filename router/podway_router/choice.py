"""Which endpoints a Route's traffic is tried at, in which order, after what connecting showed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from podway_proxy.balance.refusing import Refusing

if TYPE_CHECKING:
    from podway_proxy.balance.balancer import Balancer
    from podway_proxy.plane.plane import Plane
    from podway_proxy.values import Address, Endpoint
    from podway_router.account import Account
    from podway_router.ways import Way


class Pick:
    """What `Choice.candidates` gives one Route, one by one, while no endpoint has failed."""

    __slots__ = ("_balancer", "_failed", "others")

    def __init__(self, balancer: Balancer, failed: Mapping[Address, float]) -> None:
        self._balancer = balancer
        self._failed = failed
        self.others = balancer.others

    def first(self, client: str) -> Endpoint | None:
        """Give whom to send to; None: nobody, or that takes more of a look."""
        return None if self._failed else self._balancer.first(client)


class Choice:
    """One worker's: endpoints that failed a moment ago are tried last, for every Route."""

    __slots__ = ("_account", "_plane", "_refusing")

    def __init__(self, plane: Plane, account: Account) -> None:
        self._plane = plane
        self._account = account
        self._refusing = Refusing()

    def candidates(self, way: Way, client: str) -> Iterator[Endpoint]:
        """Give the Route's endpoints in the order in which to try them."""
        found = way.balancer.candidates(client)
        return self._refusing.last(found, self._plane.now) if self._refusing else found

    def pick(self, way: Way) -> Pick:
        """Give the same for a Route's usual requests."""
        return Pick(way.balancer, self._refusing.until)

    def failed(self, label: str, endpoint: Endpoint, reason: str) -> None:
        """Note an endpoint that could not be connected to."""
        self._refusing.failed(endpoint, self._plane.now)
        self._account.connect_failed(label, endpoint, reason)
