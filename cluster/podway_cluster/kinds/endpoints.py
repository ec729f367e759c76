"""Read an EndpointSlice or an Endpoints object."""

from __future__ import annotations

from ..model.endpoints import (
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    SliceEndpoint,
)
from ..model.meta import Meta
from ..parse.fields import Fields
from .names import is_ip, is_port_name
from .service import PROTOCOLS

SERVICE_LABEL = "kubernetes.io/service-name"
_MOST_ENDPOINTS = 1_000
"""Endpoints in one slice (discovery.k8s.io/v1)."""
_VERSIONS = {"IPv4": 4, "IPv6": 6}


def read_endpoint_slice(meta: Meta, body: Fields) -> EndpointSlice:
    """Read an EndpointSlice; its fields stand beside `metadata`, there is no `spec`."""
    address_type = body.choice("addressType", ("IPv4", "IPv6", "FQDN"), "", required=True)
    entries = body.children("endpoints")
    if len(entries) > _MOST_ENDPOINTS:
        body.problem("endpoints", f"has {len(entries)} entries: use at most {_MOST_ENDPOINTS}")
    return EndpointSlice(
        meta=meta,
        service_name=meta.labels.get(SERVICE_LABEL, ""),
        address_type=address_type,
        endpoints=tuple(_endpoint(entry, address_type) for entry in entries),
        ports=_ports(body, needed=False),
    )


def read_endpoints(meta: Meta, body: Fields) -> Endpoints:
    """Read an Endpoints object."""
    return Endpoints(meta, tuple(_subset(entry) for entry in body.children("subsets")))


def _endpoint(entry: Fields, address_type: str) -> SliceEndpoint:
    conditions = entry.child("conditions")
    ready = conditions.truth("ready", True)
    return SliceEndpoint(
        addresses=_addresses(entry, address_type),
        ready=ready,
        serving=conditions.truth("serving", ready),
        terminating=conditions.truth("terminating"),
        hostname=entry.text("hostname"),
        node_name=entry.text("nodeName"),
        zone=entry.text("zone"),
        target=entry.child("targetRef").text("name"),
    )


def _addresses(entry: Fields, address_type: str) -> tuple[str, ...]:
    found = entry.texts("addresses")
    if not found:
        entry.problem("addresses", "is empty: add the endpoint's address")
    version = _VERSIONS.get(address_type)
    for each in found if version else ():
        if not is_ip(each, version):
            message = f"{each[:80]!r} is no {address_type} address: correct it, or addressType"
            entry.problem("addresses", message)
    return found


def _ports(fields: Fields, *, needed: bool) -> tuple[EndpointPort, ...]:
    return tuple(_port(entry, needed) for entry in fields.children("ports"))


def _port(entry: Fields, needed: bool) -> EndpointPort:
    name = entry.text("name")
    if name and not is_port_name(name):
        entry.problem("name", f"{name[:80]!r} is no port name: use a-z, 0-9 and single '-'")
    return EndpointPort(
        name=name,
        port=entry.number("port", 0, 1, 65_535, required=needed) or None,
        protocol=entry.choice("protocol", PROTOCOLS, "TCP"),
        app_protocol=entry.text("appProtocol"),
    )


def _subset(entry: Fields) -> EndpointSubset:
    return EndpointSubset(
        addresses=tuple(_address(each) for each in entry.children("addresses")),
        not_ready_addresses=tuple(_address(each) for each in entry.children("notReadyAddresses")),
        ports=_ports(entry, needed=True),
    )


def _address(entry: Fields) -> EndpointAddress:
    ip = entry.text("ip", required=True)
    if ip and not is_ip(ip):
        entry.problem("ip", f"{ip[:80]!r} is no IP address: use one such as 192.0.2.1")
    return EndpointAddress(
        ip=ip,
        hostname=entry.text("hostname"),
        node_name=entry.text("nodeName"),
        target=entry.child("targetRef").text("name"),
    )
