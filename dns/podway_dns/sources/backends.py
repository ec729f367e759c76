"""Who stands behind a headless Service, with host names: what DNS needs of endpoints. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from podway_cluster.model import Pod, Service
from podway_cluster.model.endpoints import EndpointPort
from podway_cluster.snapshot import Snapshot


class Backend(NamedTuple):
    """One endpoint that DNS names."""

    addresses: tuple[str, ...]
    hostname: str
    ports: tuple[EndpointPort, ...]


def backends(snapshot: Snapshot, service: Service) -> Iterator[Backend]:
    """Yield the endpoints to publish: from EndpointSlices, else Endpoints, else ready Pods."""
    key = service.meta.key
    if key in snapshot.slices_by_service:
        yield from _from_slices(snapshot, service)
    elif key in snapshot.endpoints:
        yield from _from_endpoints(snapshot, service)
    elif service.selector:
        yield from _from_pods(snapshot, service)


def _from_slices(snapshot: Snapshot, service: Service) -> Iterator[Backend]:
    for piece in snapshot.slices_by_service[service.meta.key]:
        for endpoint in piece.endpoints:
            if endpoint.ready or service.publish_not_ready_addresses:
                yield Backend(endpoint.addresses, endpoint.hostname, piece.ports)


def _from_endpoints(snapshot: Snapshot, service: Service) -> Iterator[Backend]:
    for subset in snapshot.endpoints[service.meta.key].subsets:
        others = subset.not_ready_addresses if service.publish_not_ready_addresses else ()
        for address in (*subset.addresses, *others):
            yield Backend((address.ip,), address.hostname, subset.ports)


def _from_pods(snapshot: Snapshot, service: Service) -> Iterator[Backend]:
    for pod in snapshot.pods_by_namespace.get(service.meta.namespace, ()):
        selected = service.selector.items() <= dict(pod.meta.labels).items()
        ready = pod.ready and not pod.terminating
        if selected and (ready or service.publish_not_ready_addresses):
            hostname = pod.hostname if pod.subdomain == service.meta.name else ""
            yield Backend(pod.pod_ips, hostname, tuple(_ports(service, pod)))


def _ports(service: Service, pod: Pod) -> Iterator[EndpointPort]:
    """Yield the Service's ports as numbers of this Pod; a name that it lacks is left out."""
    for port in service.ports:
        target = port.target_port or port.port
        number = target if isinstance(target, int) else pod.find_port(target, port.protocol)
        if number is not None:
            yield EndpointPort(port.name, number, port.protocol)
