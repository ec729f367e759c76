"""EndpointSlice (discovery.k8s.io/v1) and Endpoints (v1): who serves for a Service."""

from __future__ import annotations

from typing import NamedTuple

from .meta import Meta


class EndpointPort(NamedTuple):
    """A port that all endpoints of a slice or subset share."""

    name: str = ""
    port: int | None = None
    """None in an EndpointSlice means "all ports"."""
    protocol: str = "TCP"
    app_protocol: str = ""


class SliceEndpoint(NamedTuple):
    """One of an EndpointSlice's `endpoints`, with the conditions' defaults filled in."""

    addresses: tuple[str, ...]
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    hostname: str = ""
    node_name: str = ""
    zone: str = ""
    target: str = ""
    """Name of the Pod (`targetRef.name`)."""


class EndpointSlice(NamedTuple):
    """One EndpointSlice."""

    meta: Meta
    service_name: str = ""
    """Label `kubernetes.io/service-name`."""
    address_type: str = "IPv4"
    """IPv4, IPv6 or FQDN."""
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class EndpointAddress(NamedTuple):
    """One address of an Endpoints subset."""

    ip: str
    hostname: str = ""
    node_name: str = ""
    target: str = ""
    """Name of the Pod (`targetRef.name`)."""


class EndpointSubset(NamedTuple):
    """Addresses that share the same ports."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(NamedTuple):
    """One Endpoints object: it serves the Service of the same name."""

    meta: Meta
    subsets: tuple[EndpointSubset, ...] = ()
