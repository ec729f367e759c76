"""From a Route's Services to weighted endpoints. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from podway_cluster.endpoints import ServingEndpoint, behind
from podway_cluster.model import Route
from podway_cluster.snapshot import Snapshot
from podway_proxy.balance.weights import split_weights
from podway_proxy.values import Address
from podway_router.wishes import Wishes


class Share(NamedTuple):
    """One Service of a Route: how much of the traffic, and who serves it."""

    service: str
    weight: int
    exists: bool
    addresses: tuple[tuple[str, int, str], ...]
    """(host, port, name) of each ready endpoint."""
    why: str
    """Why there is none."""
    leaving: tuple[tuple[str, int, str], ...] = ()
    """Of each that terminates beside ready ones and still serves."""
    ports: tuple[str, ...] = ()
    """The name of each ready endpoint's port."""


class Backends(NamedTuple):
    """All endpoints of a Route."""

    endpoints: tuple[tuple[str, int, str, int], ...] = ()
    """(host, port, name, weight), each address once, weights above 0 only."""
    step: str = ""
    """`no-service` or `no-endpoint` where there are none."""
    why: str = ""
    shares: tuple[Share, ...] = ()
    kept: tuple[tuple[str, int, str, int], ...] = ()
    """The same of those that get no new clients and keep those whose sessions they hold: of
    Services of weight 0, and those that terminate and still serve. Their weight is 0."""


def gather(snapshot: Snapshot, route: Route, allow_loopback: bool) -> Backends:
    """Find the endpoints of `to` and `alternateBackends`, with their weights."""
    shares = tuple(
        _share(snapshot, route, backend.name, backend.weight, allow_loopback)
        for backend in route.backends
    )
    weights = split_weights([(share.weight, len(share.addresses)) for share in shares])
    merged: dict[Address, tuple[str, int, str, int]] = {}
    for share, weight in zip(shares, weights, strict=True):
        for host, port, name in share.addresses if weight else ():
            # Two Services may select the same Pod: it gets both shares.
            before = merged.get((host, port))
            merged[host, port] = (host, port, name, weight + (before[3] if before else 0))
    kept = tuple(_kept(shares, merged))
    if merged:
        return Backends(tuple(merged.values()), shares=shares, kept=kept)
    step, why = _missing(route, shares)
    return Backends(step=step, why=why, shares=shares, kept=kept)


def _kept(
    shares: Iterable[Share], chosen: Collection[Address]
) -> Iterator[tuple[str, int, str, int]]:
    for share in shares:
        for host, port, name in share.leaving if share.weight else share.addresses + share.leaving:
            if (host, port) not in chosen:
                yield (host, port, name, 0)


def policy(route: Route, wishes: Wishes) -> str:
    """Choose the balancing policy (`reference/route-api.md` section 2)."""
    if wishes.balance is not None:
        return wishes.balance
    if sum(backend.weight > 0 for backend in route.backends) > 1:
        return "roundrobin"
    passthrough = route.tls is not None and route.tls.termination == "passthrough"
    return "source" if passthrough else "random"


def _share(
    snapshot: Snapshot, route: Route, service: str, weight: int, allow_loopback: bool
) -> Share:
    namespace = route.meta.namespace
    exists = (namespace, service) in snapshot.services
    found = behind(snapshot, namespace, service, route.target_port, allow_loopback=allow_loopback)
    return Share(
        service,
        weight,
        exists,
        _addresses(found.chosen),
        found.why,
        _addresses(found.leaving),
        tuple(one.port_name for one in found.chosen),
    )


def _addresses(endpoints: Iterable[ServingEndpoint]) -> tuple[tuple[str, int, str], ...]:
    return tuple((one.host, one.port, one.name) for one in endpoints)


def _missing(route: Route, shares: tuple[Share, ...]) -> tuple[str, str]:
    """Say which step fails when no endpoint is left."""
    weighted = [share for share in shares if share.weight > 0]
    if not weighted:
        return "no-endpoint", "all weights are 0"
    absent = [share for share in weighted if not share.exists]
    if len(absent) == len(weighted):
        names = ", ".join(f"{route.meta.namespace}/{share.service}" for share in absent)
        return "no-service", f"service {names} does not exist"
    whys = "; ".join(dict.fromkeys(share.why for share in weighted if share.why))
    return "no-endpoint", whys or "no endpoint is ready"
