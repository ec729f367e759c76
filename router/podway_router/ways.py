"""A Route as a worker uses it: its entry with a balancer, which goes on over reloads. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from random import Random
from typing import Any, NamedTuple

from podway_proxy.balance.balancer import Balancer
from podway_proxy.balance.load import Load
from podway_proxy.balance.policy import make
from podway_proxy.balance.up import DOWN, alive, down_addresses
from podway_proxy.networks import Networks
from podway_proxy.values import Address, Endpoint
from podway_router.decide import Tables
from podway_router.entry import ROUTE, SHARD, RouteEntry, read_route, route_of_key

LABEL = "route "


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

    @property
    def namespace(self) -> str:
        """The namespace of the Route, and so of its Services."""
        return self.label.removeprefix(LABEL).partition("/")[0]

    def admits(self, client: str) -> bool:
        """Tell whether a client with this address may use the Route."""
        return self.allowed is None or self.allowed.holds(client)


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
    load: Load,
    random: Random,
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
            ways[key] = _way(key, read_route(entries[key]), down, ways.get(key), load, random)
        else:
            ways.pop(key, None)
    tables = _tables(before, ways, routes)
    for key in changed:
        if key.startswith(SHARD):
            tables.setdefault(key.removeprefix(SHARD), Tables())
    return Map(ways, tables, down, entries)


def _way(
    key: str,
    entry: RouteEntry,
    down: frozenset[Address],
    before: Way | None,
    load: Load,
    random: Random,
) -> Way:
    every = [(Endpoint(host, port, name), weight) for host, port, name, weight in entry.endpoints]
    previous = before.balancer if before else None
    balancer = make(entry.policy, alive(every, down), load, random, previous)
    addresses = frozenset(
        (host, port) for host, port, *_ in (*entry.endpoints, *(entry.kept or ()))
    )
    allowed = None if entry.allowed is None else Networks(entry.allowed)
    return Way(LABEL + route_of_key(key)[1], entry, addresses, balancer, allowed)


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
