"""From a listener to its Service: what the workers look up. Pure; replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from podway_lb.entry import SERVICE, ServiceEntry, label_of_key, read
from podway_proxy.balance.balancer import Balancer
from podway_proxy.balance.load import Load
from podway_proxy.balance.policy import make
from podway_proxy.balance.up import alive, down_addresses
from podway_proxy.networks import Networks
from podway_proxy.values import Address, Endpoint


class Target(NamedTuple):
    """One port of one Service, ready to be used."""

    label: str
    entry: ServiceEntry
    ranges: Networks | None
    usable: tuple[Endpoint, ...]
    """The endpoints that are up, or all of them when none is."""
    balancer: Balancer


class Table(NamedTuple):
    """All targets, by entry key and by listener."""

    by_key: Mapping[str, Target] = {}
    by_listener: Mapping[str, Target] = {}


def build(entries: Mapping[str, Any], before: Table, load: Load, random: Random) -> Table:
    """Build the table of these entries; balancers go on from those in `before`."""
    down = down_addresses(entries)
    by_key = {
        key: _target(key, read(value), down, before.by_key.get(key), load, random)
        for key, value in entries.items()
        if key.startswith(SERVICE)
    }
    by_listener = {
        listener: target for target in by_key.values() for listener in target.entry.listeners
    }
    return Table(by_key, by_listener)


def _target(
    key: str,
    entry: ServiceEntry,
    down: frozenset[Address],
    before: Target | None,
    load: Load,
    random: Random,
) -> Target:
    every = [(Endpoint(host, port, name), 1) for host, port, name in entry.endpoints]
    usable = alive(every, down)
    endpoints = tuple(endpoint for endpoint, _ in usable)
    ranges = None if entry.ranges is None else Networks(entry.ranges)
    if before is not None and before.usable == endpoints and before.entry.policy == entry.policy:
        balancer = before.balancer
    else:
        balancer = make(entry.policy, usable, load, random, before.balancer if before else None)
    return Target(label_of_key(key), entry, ranges, endpoints, balancer)
