"""Read a Service."""

from __future__ import annotations

from ..model.meta import Meta
from ..model.service import LoadBalancerIngress, Service, ServicePort
from ..parse.fields import Fields
from .names import host_fault, is_cidr, is_ip, is_port_name

_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
PROTOCOLS = ("TCP", "UDP", "SCTP")
_MOST_AFFINITY = 86_400
"""Most seconds of session affinity (one day)."""


def read_service(meta: Meta, body: Fields) -> Service:
    """Read `spec`, and of `status` the load balancer's addresses."""
    spec = body.child("spec")
    kind = spec.choice("type", _TYPES, "ClusterIP")
    cluster_ips = _cluster_ips(spec)
    client_ip = spec.child("sessionAffinityConfig").child("clientIP")
    return Service(
        meta=meta,
        type=kind,
        ports=_ports(spec, needed=kind != "ExternalName" and cluster_ips != ("None",)),
        selector=spec.mapping("selector"),
        cluster_ips=cluster_ips,
        external_name=_external_name(spec, kind),
        external_ips=_ips(spec, "externalIPs"),
        publish_not_ready_addresses=spec.truth("publishNotReadyAddresses"),
        session_affinity=spec.choice("sessionAffinity", ("None", "ClientIP"), "None"),
        session_affinity_timeout=client_ip.number("timeoutSeconds", 10_800, 1, _MOST_AFFINITY),
        load_balancer_ip=_ip(spec, "loadBalancerIP"),
        load_balancer_ingress=_load_balancer(body.child("status").child("loadBalancer")),
        load_balancer_source_ranges=_ranges(spec),
        load_balancer_class=spec.text("loadBalancerClass"),
        external_traffic_policy=spec.choice(
            "externalTrafficPolicy", ("Cluster", "Local"), "Cluster"
        ),
        health_check_node_port=spec.number("healthCheckNodePort", 0, 0, 65_535),
    )


def _ports(spec: Fields, *, needed: bool) -> tuple[ServicePort, ...]:
    entries = spec.children("ports")
    if needed and not entries:
        spec.problem("ports", "is missing: add at least one port, or clusterIP: None")
    names: set[str] = set()
    numbers: set[tuple[int, str]] = set()
    found = []
    for entry in entries:
        port = _port(entry)
        _check_unique(entry, port, names, numbers, several=len(entries) > 1)
        found.append(port)
    return tuple(found)


def _port(entry: Fields) -> ServicePort:
    number = entry.number("port", 0, 1, 65_535, required=True)
    target = entry.port_or_name("targetPort")
    return ServicePort(
        port=number,
        name=entry.text("name"),
        target_port=number if target is None else target,
        protocol=entry.choice("protocol", PROTOCOLS, "TCP"),
        app_protocol=entry.text("appProtocol"),
        node_port=entry.number("nodePort", 0, 0, 65_535),
    )


def _check_unique(
    entry: Fields,
    port: ServicePort,
    names: set[str],
    numbers: set[tuple[int, str]],
    *,
    several: bool,
) -> None:
    if port.name in names:
        entry.problem("name", f"{port.name!r} is there twice: give each port its own name")
    elif port.name and not is_port_name(port.name):
        entry.problem("name", f"{port.name[:80]!r} is no port name: use a-z, 0-9 and single '-'")
    elif several and not port.name:
        entry.problem("name", "is missing: with several ports each needs a name")
    if (port.port, port.protocol) in numbers:
        entry.problem("port", f"{port.protocol} {port.port} is there twice: remove one of the two")
    if port.name:
        names.add(port.name)
    numbers.add((port.port, port.protocol))


def _cluster_ips(spec: Fields) -> tuple[str, ...]:
    first = spec.text("clusterIP")
    several = spec.texts("clusterIPs")
    found = several or ((first,) if first else ())
    for each in found:
        if each != "None" and not is_ip(each):
            key = "clusterIPs" if several else "clusterIP"
            spec.problem(key, f"{each[:80]!r} is no IP address: use one, None, or leave it out")
    return found


def _external_name(spec: Fields, kind: str) -> str:
    if kind != "ExternalName":
        return ""
    name = spec.text("externalName", required=True)
    fault = host_fault(name.rstrip(".")) if name else ""
    if fault:
        spec.problem("externalName", f"{name[:80]!r} {fault}")
    return name


def _ip(fields: Fields, key: str) -> str:
    text = fields.text(key)
    if text and not is_ip(text):
        fields.problem(key, f"{text[:80]!r} is no IP address: use one such as 192.0.2.1")
        return ""
    return text


def _ips(fields: Fields, key: str) -> tuple[str, ...]:
    found = fields.texts(key)
    for each in found:
        if not is_ip(each):
            fields.problem(key, f"{each[:80]!r} is no IP address: use one such as 192.0.2.1")
    return found


def _ranges(spec: Fields) -> tuple[str, ...]:
    found = tuple(each.strip() for each in spec.texts("loadBalancerSourceRanges"))
    for each in found:
        if not is_cidr(each):
            spec.problem(
                "loadBalancerSourceRanges",
                f"{each[:80]!r} is no network: write it like 192.0.2.0/24",
            )
    return found


def _load_balancer(status: Fields) -> tuple[LoadBalancerIngress, ...]:
    return tuple(
        LoadBalancerIngress(ip=_ip(each, "ip"), hostname=each.text("hostname"))
        for each in status.children("ingress")
    )
