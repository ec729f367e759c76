"""Services of type LoadBalancer to entries, listeners, probes and problems. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from podway_cluster import Problem, Snapshot
from podway_cluster.endpoints import ServingEndpoint, endpoints
from podway_cluster.model import Service
from podway_cluster.model.service import ServicePort
from podway_lb.addresses import bad_ranges, cidrs, listen_on, listener_key
from podway_lb.entry import ServiceEntry, service_key
from podway_lb.options import PROXY_V2, Options
from podway_proxy.process.spec import Compiled, ListenerSpec, ProbeSpec
from podway_proxy.values import Address

PROXY_ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer-proxy-protocol"
"""Kubernetes' cloud provider for AWS, which OpenShift's ingress operator sets; `*` is its only
value."""
HEALTH_PATH = "/healthz/ready"
_SPEAKS_FIRST = (80, 443)
_SPEAKING = ("http", "https", "tls", "kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss")
"""`appProtocol`s in which the client speaks first."""


class Served(NamedTuple):
    """One port of one Service that is listened on: for the entries and for `/debug/services`."""

    service: Service
    port: ServicePort
    listeners: tuple[ListenerSpec, ...]
    endpoints: tuple[ServingEndpoint, ...]
    why: str


class Compilation(NamedTuple):
    """The compiled snapshot, and the account of how it came about."""

    compiled: Compiled
    served: tuple[Served, ...] = ()


def compile_snapshot(snapshot: Snapshot, options: Options) -> Compilation:
    """Compile all LoadBalancer Services; the older of two gets an address and port."""
    services = sorted(
        (one for one in snapshot.services.values() if one.type == "LoadBalancer"),
        key=lambda one: one.meta.seniority,
    )
    problems = [str(problem) for problem in snapshot.problems]
    served = _served(snapshot, services, options, problems)
    compiled = Compiled(
        entries={_key(one): _entry(one, options)._asdict() for one in served},
        listeners=tuple(spec for one in served for spec in one.listeners),
        probes=_probes(served, options),
        problems=tuple(problems),
        ready=bool(served),
        why="" if served else _nothing(services, options),
    )
    return Compilation(compiled, tuple(served))


def _served(
    snapshot: Snapshot, services: list[Service], options: Options, problems: list[str]
) -> list[Served]:
    """Give each Service's ports the addresses that are free; note what is wrong in `problems`."""
    known = [ip for one in services for ip in one.load_balancer_ips]
    taken: dict[Address, str] = {}
    served: list[Served] = []
    for service in services:
        addresses = listen_on(service.load_balancer_ips, options.binds, known)
        problems.extend(str(problem) for problem in _problems(service, addresses, options))
        for index, port in enumerate(service.ports):
            if port.protocol != "TCP":
                continue
            specs = _listeners(service, port, addresses, options)
            problems.extend(str(problem) for problem in _clashes(service, index, specs, taken))
            free = tuple(spec for spec in specs if (spec.host, spec.port) not in taken)
            taken.update({(spec.host, spec.port): service.meta.label for spec in free})
            if free:
                served.append(_serve(snapshot, service, port, free, options))
    return served


def _nothing(services: list[Service], options: Options) -> str:
    """Say why there is no listener at all."""
    if not services:
        return "there is no Service of type LoadBalancer: is the directory right (--manifests)?"
    names = ", ".join(one.meta.label for one in services)
    if options.binds:
        return (
            f"no listener for {names}: none has an address among --bind {', '.join(options.binds)}"
        )
    return f"no listener for {names}: none has an address, set spec.loadBalancerIP or --bind"


def _listeners(
    service: Service, port: ServicePort, addresses: tuple[str, ...], options: Options
) -> list[ListenerSpec]:
    number = dict(options.ports).get(port.port, port.port)
    first = port.port in _SPEAKS_FIRST or port.app_protocol in _SPEAKING
    why = f"{service.meta.label} port {port.label}"
    return [
        ListenerSpec(listener_key(host, number), host, number, client_first=first, why=why)
        for host in addresses
    ]


def _serve(
    snapshot: Snapshot,
    service: Service,
    port: ServicePort,
    listeners: tuple[ListenerSpec, ...],
    options: Options,
) -> Served:
    found, why = endpoints(snapshot, *service.meta.key, port, allow_loopback=options.allow_loopback)
    return Served(service, port, listeners, tuple(found), why)


def _key(served: Served) -> str:
    return service_key(*served.service.meta.key, served.port.label)


def _entry(served: Served, options: Options) -> ServiceEntry:
    service = served.service
    ranges = service.load_balancer_source_ranges
    wrong = bad_ranges(ranges)
    announced = service.meta.annotations.get(PROXY_ANNOTATION) == "*"
    return ServiceEntry(
        listeners=[spec.key for spec in served.listeners],
        endpoints=[(one.host, one.port, one.node or one.name) for one in served.endpoints],
        policy="source" if service.session_affinity == "ClientIP" else "leastconn",
        proxy=announced or options.proxy_protocol == PROXY_V2,
        ranges=cidrs([one for one in ranges if one not in wrong]) if ranges else None,
        why=served.why,
    )


def _probes(served: list[Served], options: Options) -> tuple[ProbeSpec, ...]:
    """Check every endpoint as OpenShift's own ingress check does: every 1 s, fall 2, rise 3."""
    probes: dict[Address, ProbeSpec] = {}
    for one in served:
        check = one.service.health_check_node_port
        for endpoint in one.endpoints:
            probes.setdefault(
                (endpoint.host, endpoint.port),
                ProbeSpec(
                    endpoint.host,
                    endpoint.port,
                    path=HEALTH_PATH if check else "",
                    check_port=check,
                    interval=1.0,
                    timeout=1.0,
                    fall=2,
                    rise=3,
                    name=endpoint.node or endpoint.name,
                    source=options.source,
                ),
            )
    return tuple(probes.values())


def _problems(service: Service, addresses: tuple[str, ...], options: Options) -> Iterator[Problem]:
    """Give what is wrong with one Service."""
    if not addresses and not options.binds:
        message = "no address to listen on: set spec.loadBalancerIP, or give --bind"
        yield Problem.about(service.meta, "spec.loadBalancerIP", message)
    for index, port in enumerate(service.ports):
        if port.protocol != "TCP":
            message = f"{port.protocol} is not balanced, only TCP is; the other ports are served"
            yield Problem.about(service.meta, f"spec.ports[{index}].protocol", message)
    for wrong, why in bad_ranges(service.load_balancer_source_ranges).items():
        message = f"{wrong!r}: {why}: this range admits nobody"
        yield Problem.about(service.meta, "spec.loadBalancerSourceRanges", message)
    wanted = service.meta.annotations.get(PROXY_ANNOTATION, "*")
    if wanted != "*":
        field = f"metadata.annotations[{PROXY_ANNOTATION}]"
        yield Problem.about(service.meta, field, f"{wanted!r}: the only value is '*'; ignored")


def _clashes(
    service: Service, index: int, specs: list[ListenerSpec], taken: dict[Address, str]
) -> Iterator[Problem]:
    for spec in specs:
        owner = taken.get((spec.host, spec.port))
        if owner is not None:
            message = f"{spec.host}:{spec.port} is already {owner}'s, which is older"
            yield Problem.about(service.meta, f"spec.ports[{index}]", message)
