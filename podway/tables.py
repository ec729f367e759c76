"""What `podway get` shows, as rows: one function per kind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from podway.decisions import statuses
from podway_cluster import Snapshot
from podway_cluster.endpoints import endpoints
from podway_cluster.model import Pod, Service
from podway_router.compile import RouteStatus

Row = dict[str, Any]
"""Column -> value, in the order of the columns; lists are shown with commas between."""


def routes(snapshot: Snapshot) -> Iterator[Row]:
    """Give each Route with what its shard's routers make of it."""
    shown = set()
    for status in statuses(snapshot):
        shown.add(status.route.meta.key)
        yield _route(status)
    for route in snapshot.routes.values():
        if route.meta.key not in shown:
            why = "no: no IngressController selects it (routeSelector, namespaceSelector)"
            meta, backends = route.meta, [each.name for each in route.backends]
            yield _route_row(meta.namespace, meta.name, route.host, route.path, backends, "", why)


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


KINDS: Mapping[str, Callable[[Snapshot], Iterator[Row]]] = {
    "routes": routes,
    "services": services,
    "endpoints": served,
    "pods": pods,
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
    route, served_by = status.route, status.served
    backends = [
        f"{each.name} {each.weight}" if route.alternate_backends else each.name
        for each in route.backends
    ]
    condition = status.condition
    admitted = status.controller
    if not condition.admitted:
        admitted = f"no: {condition.reason}: {condition.message}"
    row = _route_row(
        route.meta.namespace,
        route.meta.name,
        status.host,
        route.path,
        backends,
        route.tls.termination if route.tls else "",
        admitted,
    )
    found = [f"{host}:{port}" for host, port, _, _ in served_by.endpoints]
    why = f"0: {served_by.why}" if condition.admitted else ""
    return {**row, "endpoints": found or why}


def _route_row(
    namespace: str, name: str, host: str, path: str, backends: list[str], tls: str, admitted: str
) -> Row:
    return {
        "namespace": namespace,
        "name": name,
        "host": host,
        "path": path,
        "services": backends,
        "termination": tls,
        "admitted": admitted,
        "endpoints": "",
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
    why = endpoints(snapshot, *service.meta.key, None, allow_loopback=True)[1]
    return f"none: {why}"


def _endpoint_row(service: Service, port: str, address: str, name: str, node: str, why: str) -> Row:
    return {
        "namespace": service.meta.namespace,
        "service": service.meta.name,
        "port": port,
        "address": address or why,
        "pod": name,
        "node": node,
    }
