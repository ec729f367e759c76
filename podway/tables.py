"""What `podway get` shows, as rows: one function per kind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from podway.decisions import decide, statuses, with_controller
from podway_cluster import Snapshot
from podway_cluster.endpoints import endpoints
from podway_cluster.model import Pod, Route, Service
from podway_router.compile import RouteStatus
from podway_router.shard import choose

WHY = "why"
"""Not a column: why there is nothing, in a sentence; empty where there is something."""
WARNINGS = "warnings"
"""No column either: what the routers say about a Route that they serve, `field: message` each."""
Row = dict[str, Any]
"""Column -> value, in the order of the columns."""


def routes(snapshot: Snapshot) -> Iterator[Row]:
    """Give each Route with what its shard's routers make of it."""
    shown = set()
    for status in statuses(snapshot):
        shown.add(status.route.meta.key)
        yield _route(status)
    for route in snapshot.routes.values():
        if route.meta.key not in shown:
            why = "no IngressController selects it (routeSelector, namespaceSelector)"
            yield _route_row(route, route.host, "", [], why)


def services(snapshot: Snapshot) -> Iterator[Row]:
    """Give each Service with its ports and how many endpoints each has."""
    for service in snapshot.services.values():
        addresses = service.load_balancer_ips or service.cluster_ips
        yield {
            "namespace": service.meta.namespace,
            "name": service.meta.name,
            "type": service.type,
            "addresses": list(addresses),
            "ports": [f"{port.label}:{port.port}/{port.protocol}" for port in service.ports],
            "selector": [f"{key}={value}" for key, value in service.selector.items()],
            "endpoints": len({one["address"] for one in _endpoints(snapshot, service)}),
        }


def served(snapshot: Snapshot) -> Iterator[Row]:
    """Give each address that a Service leads to, or the reason why there is none."""
    for service in snapshot.services.values():
        rows = list(_endpoints(snapshot, service))
        yield from rows or [_endpoint_row(service, "", "", "", "", _none(snapshot, service))]


def pods(snapshot: Snapshot) -> Iterator[Row]:
    """Give each Pod with its address, its node and the Services that select it."""
    for pod in snapshot.pods.values():
        yield {
            "namespace": pod.meta.namespace,
            "name": pod.meta.name,
            "ready": "yes" if pod.ready else "no",
            "phase": pod.phase,
            "address": pod.pod_ips[0] if pod.pod_ips else "",
            "node": pod.node_name,
            "ports": [port.container_port for each in pod.containers for port in each.ports],
            "services": [one.meta.name for one in selecting(snapshot, pod)],
        }


def controllers(snapshot: Snapshot) -> Iterator[Row]:
    """Give each IngressController with its ports and how many Routes it serves."""
    chosen = choose(with_controller(snapshot).ingress_controllers.values())
    for name, found in decide(snapshot).items():
        controller = chosen[name]
        published = controller.endpoint_publishing_strategy
        yield {
            "namespace": controller.meta.namespace,
            "name": name,
            "domain": controller.domain,
            "http": published.http_port,
            "https": published.https_port,
            "stats": published.stats_port,
            "protocol": published.protocol,
            "routes": len(found.routes),
            "admitted": sum(status.condition.admitted for status in found.routes),
            WHY: "" if found.compiled.ready else found.compiled.why,
        }


KINDS: Mapping[str, Callable[[Snapshot], Iterator[Row]]] = {
    "routes": routes,
    "services": services,
    "endpoints": served,
    "pods": pods,
    "controllers": controllers,
}


def selecting(snapshot: Snapshot, pod: Pod) -> list[Service]:
    """Give the Services whose selector finds the Pod."""
    return [
        service
        for service in snapshot.services.values()
        if service.meta.namespace == pod.meta.namespace
        and service.selector
        and service.selector.items() <= pod.meta.labels.items()
    ]


def _route(status: RouteStatus) -> Row:
    condition, served_by = status.condition, status.served
    if not condition.admitted:
        why = f"not admitted: {condition.reason}: {condition.message}"
        return _route_row(status.route, status.host, "", [], why)
    found = [f"{host}:{port}" for host, port, _, _ in served_by.endpoints]
    row = _route_row(status.route, status.host, status.controller, found, served_by.why)
    return {**row, WARNINGS: list(status.warnings)}


def _route_row(route: Route, host: str, shard: str, found: list[str], why: str) -> Row:
    several = bool(route.alternate_backends)
    return {
        "namespace": route.meta.namespace,
        "name": route.meta.name,
        "host": host,
        "path": route.path,
        "services": [f"{to.name} {to.weight}" if several else to.name for to in route.backends],
        "termination": route.tls.termination if route.tls else "",
        "admitted": shard or "no",
        "endpoints": found,
        WHY: why,
        WARNINGS: [],
    }


def _endpoints(snapshot: Snapshot, service: Service) -> Iterator[Row]:
    for port in service.ports:
        found, _ = endpoints(
            snapshot, *service.meta.key, port.name or port.port, allow_loopback=True
        )
        for one in found:
            address = f"{one.host}:{one.port}"
            yield _endpoint_row(service, port.label, address, one.name, one.node, "")


def _none(snapshot: Snapshot, service: Service) -> str:
    return endpoints(snapshot, *service.meta.key, None, allow_loopback=True)[1]


def _endpoint_row(service: Service, port: str, address: str, name: str, node: str, why: str) -> Row:
    return {
        "namespace": service.meta.namespace,
        "service": service.meta.name,
        "port": port,
        "address": address,
        "pod": name,
        "node": node,
        WHY: why,
    }
