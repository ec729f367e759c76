"""The steps that are explained from the objects: Route, Service and pods. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from podway.decisions import decide
from podway.trace.step import Step, Target
from podway_cluster import Snapshot
from podway_cluster.model import Pod, Route
from podway_router import misspelt
from podway_router.backends import Share
from podway_router.compile import RouteStatus
from podway_router.decide import Match, Miss, Redirect, Tables
from podway_router.entry import route_key

_CUTTING = re.compile(r"ip_|rate-limit-connections\.")


class Found(NamedTuple):
    """The Route that takes a URL, or why none does."""

    step: Step
    status: RouteStatus | None = None
    redirect: bool = False


def find_route(snapshot: Snapshot, target: Target) -> Found:
    """Say which Route takes the URL, as the routers of all shards decide it."""
    misses: list[Miss] = []
    for compilation in decide(snapshot).values():
        by_key = {
            route_key(status.controller, *status.route.meta.key): status
            for status in compilation.routes
        }
        entries = {key: one.entry for key, one in by_key.items() if one.entry is not None}
        tables = Tables().changed({}, entries)
        path = target.path.partition("?")[0].encode()
        found = _look_up(tables, target, path)
        if isinstance(found, Miss):
            detail = found.detail or tables.nearest(target.host)
            misses.append(found._replace(detail=detail))
        else:
            status = by_key[found.key]
            return Found(_route_step(status), status, isinstance(found, Redirect))
    return Found(_no_route(snapshot, target, misses))


def _look_up(tables: Tables, target: Target, path: bytes) -> Match | Redirect | Miss:
    """Ask the tables as the router does."""
    if not target.secure:
        return tables.http(target.host, path)
    found = tables.tls(target.host)
    return found if isinstance(found, Match) else tables.https(target.host, path)


def _route_step(status: RouteStatus) -> Step:
    route = status.route
    to = " and ".join(
        f"Service {each.name}" + (f" (weight {each.weight})" if route.alternate_backends else "")
        for each in route.backends
    )
    kind = f", {route.tls.termination}" if route.tls else ""
    text = f"{_name(route)} has host {status.host}{_path(route)}{kind}; it leads to {to}"
    details = (str(route.meta.origin), f"admitted by the routers of {status.controller}")
    asked = ", ".join(f"{name} {value}" for name, value in _asked(route).items())
    asks = (f"asks for {asked}",) if asked else ()
    return Step("Route", True, text, (*details, *asks, *status.warnings))


def cutting(route: Route) -> str:
    """Name the annotations for which a router cuts a connection without an answer; or empty."""
    found = (f"{name} ({value})" for name, value in _asked(route).items() if _CUTTING.match(name))
    return ", ".join(found)


def _asked(route: Route) -> dict[str, str]:
    """Give the Route's annotations for routers, by the last part of their names."""
    return {
        name.rpartition("/")[2]: value
        for name, value in route.meta.annotations.items()
        if name in misspelt.KNOWN
    }


def _no_route(snapshot: Snapshot, target: Target, misses: list[Miss]) -> Step:
    refused = _refused(snapshot, target.host)
    if refused is not None:
        condition, meta = refused.condition, refused.route.meta
        text = f"{_name(refused.route)} has this host, but is not admitted: {condition.reason}"
        advice = "Give the Route another host or path, or remove the older one."
        return Step("Route", False, text, (str(meta.origin), condition.message), advice)
    # A shard that knows the host says more than one that does not.
    telling = next((miss for miss in misses if miss.step != "no-route"), None)
    miss = telling or next((miss for miss in misses if miss.detail), None)
    if miss is None:
        miss = misses[0] if misses else Miss("no-route", "there is no IngressController", "")
    details = tuple(each for each in (miss.detail,) if each)
    return Step("Route", False, miss.public, details, _route_advice(miss, target))


def _route_advice(miss: Miss, target: Target) -> str:
    return {
        "tls-only": f"Ask https://{target.host}/ instead, or set insecureEdgeTerminationPolicy.",
        "http-only": f"Ask http://{target.host}/ instead, or give the Route a spec.tls.",
        "passthrough": "Let the client send this host as its server name (SNI).",
    }.get(miss.step, f"Make a Route with spec.host: {target.host}, or correct the host name.")


def _refused(snapshot: Snapshot, host: str) -> RouteStatus | None:
    for compilation in decide(snapshot).values():
        for status in compilation.routes:
            if status.host == host and not status.condition.admitted:
                return status
    return None


def service_step(snapshot: Snapshot, status: RouteStatus) -> Step:
    """Say which endpoints the Route's Services have, and why if there is none."""
    details = [
        line for share in status.served.shares for line in _share_lines(snapshot, status, share)
    ]
    shares = status.served.shares
    names = ", ".join(share.service for share in shares)
    if status.served.endpoints:
        count = len(status.served.endpoints)
        text = f"{names}: {count} endpoint{'s' if count > 1 else ''} to choose from"
        policy = f"chosen by {status.entry.policy}" if status.entry else ""
        return Step("Service", True, text, (*details, policy))
    advice = _service_advice(snapshot, status.route, shares)
    return Step("Service", False, f"{names}: {status.served.why}", tuple(details), advice)


def _share_lines(snapshot: Snapshot, status: RouteStatus, share: Share) -> list[str]:
    weight = f" (weight {share.weight})" if status.route.alternate_backends else ""
    lines = [f"{share.service}{weight}: {h}:{p} {name}" for h, p, name in share.addresses]
    return lines or [
        f"pod {pod.meta.name}: {_state(pod)}" for pod in _selected(snapshot, status, share)
    ]


def _service_advice(snapshot: Snapshot, route: Route, shares: tuple[Share, ...]) -> str:
    absent = [share.service for share in shares if not share.exists]
    if absent:
        return f"Make Service {absent[0]} in {route.meta.namespace}, or correct spec.to.name."
    service = snapshot.services[route.meta.namespace, shares[0].service]
    if not service.selector:
        return "The Service has no selector: give it an EndpointSlice, or a selector."
    wanted = ", ".join(f"{key}={value}" for key, value in service.selector.items())
    pods = snapshot.pods_by_namespace.get(route.meta.namespace, ())
    if not any(service.selector.items() <= pod.meta.labels.items() for pod in pods):
        return f"No Pod in {route.meta.namespace} has the labels {wanted}: correct one of the two."
    if any(pod.ready and service.selector.items() <= pod.meta.labels.items() for pod in pods):
        ports = ", ".join(port.label for port in service.ports)
        return f"The Route's port.targetPort must name a port of the Service ({ports})."
    return "Find out why the pod is not ready (its readiness probe, its log), then ask again."


def _selected(snapshot: Snapshot, status: RouteStatus, share: Share) -> list[Pod]:
    namespace = status.route.meta.namespace
    service = snapshot.services.get((namespace, share.service))
    if service is None or not service.selector:
        return []
    pods = snapshot.pods_by_namespace.get(namespace, ())
    return [pod for pod in pods if service.selector.items() <= pod.meta.labels.items()]


def _state(pod: Pod) -> str:
    if pod.terminating:
        return "is being deleted"
    return "ready" if pod.ready else "not ready (its condition Ready is not True)"


def _name(route: Route) -> str:
    return f"{route.meta.namespace}/{route.meta.name}"


def _path(route: Route) -> str:
    return f" and path {route.path}" if route.path else ""
