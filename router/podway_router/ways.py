"""A Route as a worker uses it: its entry with a balancer, which goes on over reloads. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from podway_proxy.balance.balancer import Balancer, Weighted
from podway_proxy.balance.load import Load
from podway_proxy.balance.policy import make
from podway_proxy.balance.slow_start import NOBODY, Ramp
from podway_proxy.balance.up import DOWN, alive, down_addresses
from podway_proxy.networks import Networks
from podway_proxy.values import Address, Endpoint
from podway_router.decide import Tables
from podway_router.entry import ROUTE, SHARD, RouteEntry, read_route, route_of_key

if TYPE_CHECKING:
    from podway_proxy.limiting.clients import Rules

LABEL = "route "
AT_ONCE = Ramp()


class Way(NamedTuple):
    """One admitted Route, ready to be used."""

    label: str
    """`route shop/web`."""
    entry: RouteEntry
    addresses: frozenset[Address]
    """Of all its endpoints, up or down, those that only a cookie leads to included."""
    balancer: Balancer
    allowed: Networks | None = None
    """Where clients must come from; None: anywhere."""
    rising: Mapping[Address, float] = NOBODY
    """Endpoints whose share still grows (slow start), and since when."""
    rules: Rules | None = None
    """What one client may ask for; None: as much as it likes."""

    @property
    def limited(self) -> bool:
        """Whether each request has to be looked at: whose it is, and whether there is room."""
        return self.rules is not None or self.entry.pod_connections > 0

    @property
    def namespace(self) -> str:
        """The namespace of the Route, and so of its Services."""
        return self.label.removeprefix(LABEL).partition("/")[0]

    def admits(self, client: str) -> bool:
        """Tell whether a client with this address may use the Route."""
        return self.allowed is None or self.allowed.holds(client)


class Means(NamedTuple):
    """What balancers are made with."""

    load: Load
    random: Random
    ramp: Ramp = AT_ONCE


class Map(NamedTuple):
    """All Routes of the process: the tables by controller, the ways by entry key."""

    ways: Mapping[str, Way] = {}
    tables: Mapping[str, Tables] = {}
    down: frozenset[Address] = frozenset()
    entries: Mapping[str, Any] = {}
    """All of them: certificates are looked up here."""


def rebuilt(
    before: Map,
    entries: Mapping[str, Any],
    changed: Collection[str],
    means: Means,
) -> Map:
    """Give the map of `entries`, of which only `changed` differ from what `before` was made of.

    Only what changed is made anew: a pod that goes down costs the Routes that lead to it.
    """
    down = before.down
    if any(key.startswith(DOWN) for key in changed):
        down = down_addresses(entries)
    flipped = down ^ before.down
    routes = [key for key in changed if key.startswith(ROUTE)]
    touched = (
        set(routes)
        if not flipped
        else {
            *routes,
            *(key for key, way in before.ways.items() if not flipped.isdisjoint(way.addresses)),
        }
    )
    ways = dict(before.ways)
    for key in touched:
        if key in entries:
            entry, known = read_route(entries[key]), ways.get(key)
            rising = _rising(known, before.down, entry, down, means.ramp)
            ways[key] = _way(key, entry, known, rising, down, means)
        else:
            ways.pop(key, None)
    tables = _tables(before, ways, routes)
    for key in changed:
        if key.startswith(SHARD):
            tables.setdefault(key.removeprefix(SHARD), Tables())
    return Map(ways, tables, down, entries)


def risen(before: Map, means: Means) -> Map:
    """Give the map with the weights of endpoints that grow as they are now."""
    ways = dict(before.ways)
    for key, way in before.ways.items():
        if way.rising:
            rising = _rising(way, before.down, way.entry, before.down, means.ramp)
            ways[key] = _way(key, way.entry, way, rising, before.down, means)
    return before._replace(ways=ways)


def _way(
    key: str,
    entry: RouteEntry,
    before: Way | None,
    rising: Mapping[Address, float],
    down: Collection[Address],
    means: Means,
) -> Way:
    chosen = means.ramp.weigh(_chosen(entry, down), rising)
    previous = before.balancer if before else None
    balancer = make(entry.policy, chosen, means.load, means.random, previous)
    addresses = frozenset(
        (host, port) for host, port, *_ in (*entry.endpoints, *(entry.kept or ()))
    )
    allowed = None if entry.allowed is None else Networks(entry.allowed)
    label = LABEL + route_of_key(key)[1]
    rules = None if entry.rules is None else _rules(entry.rules)
    return Way(label, entry, addresses, balancer, allowed, rising, rules)


def _rules(limits: Mapping[str, int]) -> Rules:
    from podway_proxy.limiting.clients import Rules  # for Routes that have some

    return Rules(**limits)


def _chosen(entry: RouteEntry, down: Collection[Address]) -> Sequence[Weighted]:
    every = [(Endpoint(host, port, name), weight) for host, port, name, weight in entry.endpoints]
    return alive(every, down)


def _rising(
    way: Way | None,
    down_before: Collection[Address],
    entry: RouteEntry,
    down: Collection[Address],
    ramp: Ramp,
) -> Mapping[Address, float]:
    """Give which of a Route's endpoints grow, and since when; a new Route's all start in full."""
    if way is None or not ramp.seconds:
        return NOBODY
    before = {endpoint.address for endpoint, _ in _chosen(way.entry, down_before)}
    after = [endpoint.address for endpoint, _ in _chosen(entry, down)]
    return ramp.rising(before, after, way.rising)


def _tables(before: Map, ways: Mapping[str, Way], routes: Collection[str]) -> dict[str, Tables]:
    """Give the tables in which the Routes of these keys are as `ways` has them now."""
    tables = dict(before.tables)
    by_controller: dict[str, list[str]] = {}
    for key in routes:
        by_controller.setdefault(route_of_key(key)[0], []).append(key)
    for controller, keys in by_controller.items():
        gone = {key: before.ways[key].entry for key in keys if key in before.ways}
        come = {key: ways[key].entry for key in keys if key in ways}
        tables[controller] = tables.get(controller, Tables()).changed(gone, come)
    return tables
