"""Who is behind a Service, before a port is chosen: from the objects that say so, or its Pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .model import Endpoints, EndpointSlice, Pod, Service
from .model.endpoints import EndpointAddress, EndpointPort, SliceEndpoint
from .model.service import ServicePort
from .snapshot import Snapshot

_ENDED = ("Succeeded", "Failed")
"""Phases of Pods that will never serve again."""


class Member(NamedTuple):
    """One address behind a Service, with the ports that it serves on."""

    host: str
    name: str = ""
    """The Pod's name, or its host name."""
    node: str = ""
    hostname: str = ""
    """For names of its own (`<hostname>.<service>…`); empty where it has none."""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    ports: tuple[EndpointPort, ...] = ()


class Members(NamedTuple):
    """All that are behind a Service."""

    found: tuple[Member, ...] = ()
    why: str = ""
    """Where there are none: a sentence that says why."""


def members(snapshot: Snapshot, service: Service) -> Members:
    """Find out who is behind a Service, whether ready or not.

    EndpointSlices say it, else an Endpoints object of the same name, else the Service's selector
    and the Pods, as the cluster's own controllers would.
    """
    name = f"Service {service.meta.namespace}/{service.meta.name}"
    if service.type == "ExternalName":
        return Members(why=f"{name} is of type ExternalName, which has no endpoints")
    slices = snapshot.slices_by_service.get(service.meta.key, ())
    listed = snapshot.endpoints.get(service.meta.key)
    if slices:
        return _of_slices(slices, name)
    if listed is not None:
        found = tuple(_of_endpoints(listed))
        return Members(found, "" if found else f"the Endpoints object of {name} lists no address")
    if service.selector:
        return _of_pods(snapshot.pods_by_namespace.get(service.meta.namespace, ()), service, name)
    return Members(
        why=f"{name} has no selector, and no EndpointSlice (label kubernetes.io/service-name: "
        f"{service.meta.name}) lists addresses for it"
    )


def _of_slices(slices: Iterable[EndpointSlice], name: str) -> Members:
    usable = [each for each in slices if each.address_type != "FQDN"]
    if not usable:
        return Members(why=f"{name} has EndpointSlices of addressType FQDN only, never followed")
    found = tuple(
        _of_slice_endpoint(endpoint, each) for each in usable for endpoint in each.endpoints
    )
    return Members(found, "" if found else f"the EndpointSlices of {name} list no endpoint")


def _of_slice_endpoint(endpoint: SliceEndpoint, origin: EndpointSlice) -> Member:
    return Member(
        host=endpoint.addresses[0],  # all addresses of an endpoint are fungible: clients use one
        name=endpoint.target or endpoint.hostname,
        node=endpoint.node_name,
        hostname=endpoint.hostname,
        ready=endpoint.ready,
        serving=endpoint.serving,
        terminating=endpoint.terminating,
        ports=origin.ports,
    )


def _of_endpoints(listed: Endpoints) -> Iterator[Member]:
    for subset in listed.subsets:
        for address in subset.addresses:
            yield _of_address(address, subset.ports, ready=True)
        for address in subset.not_ready_addresses:
            yield _of_address(address, subset.ports, ready=False)


def _of_address(
    address: EndpointAddress, ports: tuple[EndpointPort, ...], *, ready: bool
) -> Member:
    name = address.target or address.hostname
    return Member(
        address.ip, name, address.node_name, address.hostname, ready, serving=ready, ports=ports
    )


def _of_pods(pods: Iterable[Pod], service: Service, name: str) -> Members:
    wanted = service.selector.items()
    selected = [pod for pod in pods if wanted <= pod.meta.labels.items()]
    found = tuple(
        _of_pod(pod, service) for pod in selected if pod.pod_ips and pod.phase not in _ENDED
    )
    if found:
        return Members(found)
    spelled = ", ".join(f"{key}={value}" for key, value in sorted(wanted))
    if not selected:
        where = f"in namespace {service.meta.namespace}"
        return Members(why=f"the selector of {name} ({spelled}) matches no Pod {where}")
    states = ", ".join(f"{pod.meta.name} ({_state(pod)})" for pod in selected[:5])
    return Members(why=f"no Pod that the selector of {name} matches has an address: {states}")


def _state(pod: Pod) -> str:
    return pod.phase if pod.phase in _ENDED else "no address yet"


def _of_pod(pod: Pod, service: Service) -> Member:
    forced = service.publish_not_ready_addresses
    return Member(
        host=pod.pod_ips[0],
        name=pod.meta.name,
        node=pod.node_name,
        hostname=pod.hostname if pod.subdomain == service.meta.name else "",
        ready=forced or (pod.ready and not pod.terminating),
        serving=forced or pod.ready,
        terminating=pod.terminating,
        ports=tuple(_pod_ports(pod, service.ports)),
    )


def _pod_ports(pod: Pod, ports: Iterable[ServicePort]) -> Iterator[EndpointPort]:
    """Resolve each targetPort in this Pod; one that it has not is left out."""
    for port in ports:
        target = port.target_port
        number = pod.find_port(target, port.protocol) if isinstance(target, str) else target
        if number:
            yield EndpointPort(port.name, number, port.protocol, port.app_protocol)
