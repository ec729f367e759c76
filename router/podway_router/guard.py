"""A Route's limits, held: how much a client may ask of it, and how much its pods are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from functools import cached_property, partial
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.http.target import Target

if TYPE_CHECKING:
    from podway_proxy.balance.load import Load
    from podway_proxy.limiting.clients import Clients
    from podway_proxy.limiting.hall import Hall
    from podway_proxy.limiting.table import Table
    from podway_proxy.limiting.visit import Visit
    from podway_proxy.plane.plane import Plane
    from podway_proxy.values import Address, Endpoint, Forward
    from podway_router.account import Account
    from podway_router.choice import Choice
    from podway_router.ways import Map, Way

STEP = "rate-limit"
_VALUES = attrgetter(*(one.name for one in fields(Target)))


class Shared(NamedTuple):
    """What the daemon's workers share, as a worker is given it (`WorkerLink`)."""

    table_fd: int = -1
    bell_fd: int = -1
    row: int = 0


class Serving:
    """A Route's endpoints in whatever map is in force."""

    def __init__(self, current: Callable[[], Map], choice: Choice, key: str) -> None:
        self._current = current
        self._choice = choice
        self._key = key

    def choose(self, client: str) -> Iterator[Endpoint]:
        """Give those for a client."""
        way = self._current().ways.get(self._key)
        return iter(()) if way is None else self._choice.candidates(way, client)

    def has(self, address: Address) -> bool:
        """Tell whether this is one of them."""
        way = self._current().ways.get(self._key)
        return way is not None and address in way.addresses


class Guard:
    """One worker's. Routes are told apart by their entries' keys.

    What holds the limits is made, and imported, for the first Route that has some.
    """

    def __init__(
        self,
        plane: Plane,
        shared: Shared,
        current: Callable[[], Map],
        choice: Choice,
        load: Load,
        account: Account,
    ) -> None:
        """Take what the daemon's workers share, and what else there is one of in each worker."""
        self._plane = plane
        self._shared = shared
        self._serving = partial(Serving, current, choice)
        self._load = load
        self._account = account

    @cached_property
    def _table(self) -> Table:
        from podway_proxy.limiting.table import Table

        return Table(self._shared.table_fd, self._shared.row)

    @cached_property
    def _clients(self) -> Clients:
        from podway_proxy.limiting.clients import Clients

        return Clients(self._table)

    @cached_property
    def _hall(self) -> Hall:
        from podway_proxy.limiting.hall import Hall

        count = partial(self._account.count, "queued")
        return Hall(self._plane, self._table, self._serving, self._shared.bell_fd, count)

    def refusal(self, key: str, way: Way, client: str, *, http: bool) -> str:
        """Count what a client asks of a Route; give why it is refused, empty if it is not."""
        if way.rules is None:
            return ""
        who = self._clients.key(key, client)
        why = self._clients.refusal(who, way.rules, self._plane.now, http=http)
        return why and f"{way.label}: {why}"

    def guarded(self, target: Target, key: str, way: Way, client: str, *, own: bool) -> Target:
        """Give the target for one request; `own`: it insists on its first candidate."""
        visit = self._visit(key, way, client, target.connect_timeout, own)
        if visit is None:
            return target
        made = Target(*_VALUES(target))  # 0.5 us; dataclasses.replace takes 2.8
        made.gate, made.on_open, made.on_close = visit, visit.opened, visit.closed
        return made

    def through(self, forward: Forward, key: str, way: Way, client: str) -> Forward:
        """Give the same for one connection that is handed through."""
        visit = self._visit(key, way, client, forward.connect_timeout, own=False)
        if visit is None:
            return forward
        return forward._replace(gate=visit, on_open=visit.opened, on_close=visit.closed)

    def tidy(self, wanted: Collection[str]) -> None:
        """Forget Routes that are gone."""
        if "_hall" in self.__dict__:
            self._hall.tidy(wanted)

    def _visit(self, key: str, way: Way, client: str, patience: float, own: bool) -> Visit | None:
        counts = way.rules is not None and way.rules.concurrent is not None
        most = way.entry.pod_connections
        if not (counts or most):
            return None
        from podway_proxy.limiting.visit import Visit

        visit = Visit(self._hall, client, self._load.began, self._load.ended)
        if counts:
            visit.counting(self._clients, self._clients.key(key, client))
        if most:
            places = self._hall.places(key, most, patience)
            visit.placed(places, faithful=own or way.entry.policy == "source")
        return visit
