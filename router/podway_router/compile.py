"""A snapshot to all that serving it needs: entries, listeners, probes, problems. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from podway_cluster import Problem, Snapshot
from podway_cluster.model import IngressController, Route
from podway_proxy.process.spec import Compiled, Json, ListenerSpec, ProbeSpec
from podway_proxy.values import Address
from podway_router import backends, claims, listen, shard
from podway_router.admission import ADMITTED, Claim, Condition, admit
from podway_router.entry import RouteEntry, ShardEntry, route_key, shard_key
from podway_router.options import Options
from podway_router.wishes import Wishes, read


class RouteStatus(NamedTuple):
    """What came of one Route for one controller: what its status would say in the cluster."""

    controller: str
    route: Route
    host: str
    condition: Condition
    warnings: tuple[str, ...] = ()
    """What is wrong with its annotations: `field: message`."""
    wishes: Wishes = Wishes()
    served: backends.Backends = backends.Backends()
    entry: RouteEntry | None = None
    """None unless admitted."""


class Compilation(NamedTuple):
    """The compiled snapshot, and the account of how it came about."""

    compiled: Compiled
    routes: tuple[RouteStatus, ...] = ()


def compile_snapshot(snapshot: Snapshot, options: Options) -> Compilation:
    """Compile for the controllers that the options name."""
    every = shard.choose(snapshot.ingress_controllers.values())
    problems = [str(problem) for problem in snapshot.problems]
    chosen = [every[name] for name in options.names if name in every]
    specs = [spec for one in chosen for spec in listen.listeners(one, options)]
    why = _not_ready(every, chosen, specs, options)
    if why:
        return Compilation(Compiled({}, problems=tuple(problems), ready=False, why=why))
    routes = tuple(status for one in chosen for status in _routes(snapshot, one, options))
    problems.extend(str(problem) for status in routes for problem in _problems(status))
    compiled = Compiled(
        entries=_entries(chosen, routes),
        listeners=tuple(specs),
        probes=_probes(chosen, routes),
        problems=tuple(dict.fromkeys(problems)),
    )
    return Compilation(compiled, routes)


def _not_ready(
    every: Mapping[str, IngressController],
    chosen: list[IngressController],
    specs: list[ListenerSpec],
    options: Options,
) -> str:
    """Say why nothing can be served; empty when it can."""
    missing = [name for name in options.names if name not in every]
    if missing:
        there = ", ".join(sorted(every)) or "none: is the directory right (--manifests)?"
        return f"no IngressController is named {', '.join(missing)}; there are: {there}"
    faults = [listen.disagreement(one, options) for one in chosen] + listen.clashes(specs)
    return "; ".join(filter(None, faults))


def _routes(
    snapshot: Snapshot, controller: IngressController, options: Options
) -> Iterable[RouteStatus]:
    """Decide every Route of the controller's shard."""
    mine = [
        route
        for route in snapshot.routes.values()
        if not shard.excluded(controller, route, _labels(snapshot, route.meta.namespace))
    ]
    asked = {route.meta.key: claims.claim(route, controller) for route in mine}
    valid = [claim for claim in asked.values() if isinstance(claim, Claim)]
    decided = admit(valid, claims.policy(controller))
    for route in mine:
        claim = asked[route.meta.key]
        if isinstance(claim, Condition):
            host = claims.host_of(route, controller)
            yield RouteStatus(controller.meta.name, route, host, claim)
        else:
            condition = decided[route.meta.key]
            yield _status(snapshot, controller, route, claim, condition, options)


def _labels(snapshot: Snapshot, namespace: str) -> Mapping[str, str]:
    """Give a Namespace's labels, with the one that the cluster sets itself."""
    found = snapshot.namespaces.get(("", namespace))
    own = {"kubernetes.io/metadata.name": namespace}
    return {**found.meta.labels, **own} if found else own


def _status(
    snapshot: Snapshot,
    controller: IngressController,
    route: Route,
    claim: Claim,
    condition: Condition,
    options: Options,
) -> RouteStatus:
    wishes, warnings = read(route.meta.annotations)
    name = controller.meta.name
    if condition != ADMITTED:
        return RouteStatus(name, route, claim.holds, condition, warnings)
    served = backends.gather(snapshot, route, options.allow_loopback)
    entry = _entry(controller, route, claim, wishes, served)
    return RouteStatus(name, route, claim.holds, condition, warnings, wishes, served, entry)


def _entry(
    controller: IngressController,
    route: Route,
    claim: Claim,
    wishes: Wishes,
    served: backends.Backends,
) -> RouteEntry:
    tuning = controller.tuning_options
    through = wishes.timeout if claim.termination == "passthrough" else None
    return RouteEntry(
        host=claim.holds,
        path=claim.path,
        termination=claim.termination,
        insecure=route.tls.insecure_edge_termination_policy if route.tls else "",
        endpoints=list(served.endpoints),
        policy=backends.policy(route, wishes),
        step=served.step,
        why=served.why,
        server_timeout=wishes.timeout or tuning.server_timeout,
        tunnel_timeout=wishes.timeout_tunnel or through or tuning.tunnel_timeout,
        forwarded=wishes.forwarded or "",
    )


def _entries(chosen: Iterable[IngressController], routes: Iterable[RouteStatus]) -> dict[str, Json]:
    entries: dict[str, Json] = {}
    for one in chosen:
        policy = one.http_headers.forwarded_header_policy
        forwarded = "if-none" if policy == "IfNone" else policy.lower()
        deferred = one.idle_connection_termination_policy == "Deferred"
        settings = ShardEntry(shard.limits(one.tuning_options), forwarded, deferred)
        entries[shard_key(one.meta.name)] = settings._asdict()
    for status in routes:
        if status.entry is not None:
            key = route_key(status.controller, *status.route.meta.key)
            entries[key] = status.entry._asdict()
    return entries


def _probes(
    chosen: Iterable[IngressController], routes: Iterable[RouteStatus]
) -> tuple[ProbeSpec, ...]:
    """Ask for checks where there is a choice; the shortest interval asked for counts."""
    usual = {one.meta.name: one.tuning_options.health_check_interval for one in chosen}
    probes: dict[Address, ProbeSpec] = {}
    for status in routes:
        if status.entry is None or len(status.entry.endpoints) < 2:
            continue
        interval = status.wishes.health_interval or usual[status.controller]
        for host, port, name, _ in status.entry.endpoints:
            known = probes.get((host, port))
            if known is None or interval < known.interval:
                probes[host, port] = ProbeSpec(host, port, interval=interval, name=name)
    return tuple(probes.values())


def _problems(status: RouteStatus) -> Iterable[Problem]:
    """Give what the Route's author should know."""
    if not status.condition.admitted:
        message = f"not admitted by {status.controller}: {status.condition.reason}: "
        yield Problem.about(status.route.meta, "spec.host", message + status.condition.message)
    for warning in status.warnings:
        field, _, message = warning.partition(": ")
        yield Problem.about(status.route.meta, field, message)
    for place, share in enumerate(status.served.shares):
        if not share.exists:
            field = f"spec.alternateBackends[{place - 1}].name" if place else "spec.to.name"
            message = f"there is no Service {status.route.meta.namespace}/{share.service}"
            yield Problem.about(status.route.meta, field, message)
