"""Read a Pod or a Node."""

from __future__ import annotations

from ..model.meta import Meta
from ..model.node import Node, NodeAddress
from ..model.pod import Container, ContainerPort, Pod
from ..parse.fields import Fields
from .names import is_cidr, is_ip, is_port_name
from .service import PROTOCOLS

_PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")


def read_pod(meta: Meta, body: Fields) -> Pod:
    """Read a Pod: its ports, and from its status addresses and readiness."""
    spec, status = body.child("spec"), body.child("status")
    phase = status.choice("phase", _PHASES, "")
    ready = _condition(status, "Ready")
    return Pod(
        meta=meta,
        containers=tuple(_container(each) for each in spec.children("containers")),
        node_name=spec.text("nodeName"),
        hostname=spec.text("hostname"),
        subdomain=spec.text("subdomain"),
        host_network=spec.truth("hostNetwork"),
        phase=phase,
        pod_ips=_pod_ips(status),
        ready=phase in ("", "Running") if ready is None else ready,
    )


def read_node(meta: Meta, body: Fields) -> Node:
    """Read a Node: its addresses, Pod networks and readiness."""
    spec, status = body.child("spec"), body.child("status")
    ready = _condition(status, "Ready")
    return Node(
        meta=meta,
        addresses=tuple(_node_address(each) for each in status.children("addresses")),
        pod_cidrs=_pod_cidrs(spec),
        unschedulable=spec.truth("unschedulable"),
        ready=True if ready is None else ready,
    )


def _container(entry: Fields) -> Container:
    return Container(
        name=entry.text("name", required=True),
        image=entry.text("image"),
        command=entry.texts("command"),
        args=entry.texts("args"),
        env=_env(entry),
        ports=tuple(_port(each) for each in entry.children("ports")),
    )


def _env(entry: Fields) -> dict[str, str]:
    plain = (each for each in entry.children("env") if not each.has("valueFrom"))
    return {each.text("name", required=True): each.text("value") for each in plain}


def _port(entry: Fields) -> ContainerPort:
    name = entry.text("name")
    if name and not is_port_name(name):
        entry.problem("name", f"{name[:80]!r} is no port name: use a-z, 0-9 and single '-'")
    return ContainerPort(
        container_port=entry.number("containerPort", 0, 1, 65_535, required=True),
        name=name,
        protocol=entry.choice("protocol", PROTOCOLS, "TCP"),
        host_port=entry.number("hostPort", 0, 0, 65_535),
    )


def _pod_ips(status: Fields) -> tuple[str, ...]:
    several = [(each, "ip", each.text("ip")) for each in status.children("podIPs")]
    found = [(status, "podIP", status.text("podIP")), *several]
    for fields, key, ip in found:
        if ip and not is_ip(ip):
            fields.problem(key, f"{ip[:80]!r} is no IP address: use one such as 10.128.0.7")
    return tuple(dict.fromkeys(ip for _, _, ip in found if ip))


def _condition(status: Fields, wanted: str) -> bool | None:
    """Tell whether a condition is True; None where it is not listed at all."""
    for each in status.children("conditions"):
        if each.text("type") == wanted:
            return each.choice("status", ("True", "False", "Unknown"), "Unknown") == "True"
    return None


def _node_address(entry: Fields) -> NodeAddress:
    kind, address = entry.text("type", required=True), entry.text("address", required=True)
    if kind.endswith("IP") and address and not is_ip(address):
        entry.problem("address", f"{address[:80]!r} is no IP address, as {kind} must be")
    return NodeAddress(kind, address)


def _pod_cidrs(spec: Fields) -> tuple[str, ...]:
    first = spec.text("podCIDR")
    found = spec.texts("podCIDRs") or ((first,) if first else ())
    for each in found:
        if not is_cidr(each):
            spec.problem("podCIDR", f"{each[:80]!r} is no network: write it like 10.128.0.0/24")
    return found
