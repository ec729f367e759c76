"""Who serves for a Service on a port, and if nobody does, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .addresses import address_fault
from .members import Member, members
from .model.endpoints import EndpointPort
from .model.service import Service, ServicePort
from .snapshot import Snapshot

_MOST_NAMED = 5
"""How many Pods, addresses or ports a sentence lists."""


class ServingEndpoint(NamedTuple):
    """One address and port that serves."""

    host: str
    port: int
    name: str = ""
    """The Pod's name or the endpoint's host name; empty where the objects name none."""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    """Being deleted: listed as a last resort only, where no endpoint is ready."""
    node: str = ""
    hostname: str = ""
    port_name: str = ""
    app_protocol: str = ""


class Behind(NamedTuple):
    """Who is behind a Service on a port."""

    chosen: tuple[ServingEndpoint, ...] = ()
    """Those that may take new traffic: the ready ones; where there is none, those leaving."""
    leaving: tuple[ServingEndpoint, ...] = ()
    """Those that terminate beside ready ones and still serve: sessions that they hold may stay."""
    why: str = ""
    """Why nothing is chosen, as a sentence."""


def endpoints(
    snapshot: Snapshot,
    namespace: str,
    service: str,
    port: int | str | ServicePort | None,
    *,
    allow_loopback: bool,
) -> tuple[tuple[ServingEndpoint, ...], str]:
    """Give the endpoints that may take new traffic, and where there are none a sentence why.

    `port` as number or text is that of the *endpoints* (a Route's `port.targetPort`; a text matches
    the port's name or number) among TCP ports; None means every TCP port; a `ServicePort` means
    the endpoint ports that belong to it (a load balancer's or a DNS server's view).

    Ready endpoints are given; where there is none, those that are terminating but still serve.
    Loopback addresses are taken where `allow_loopback` says so; link-local, multicast, unspecified
    and metadata addresses never.
    """
    found = behind(snapshot, namespace, service, port, allow_loopback=allow_loopback)
    return found.chosen, found.why


def behind(
    snapshot: Snapshot,
    namespace: str,
    service: str,
    port: int | str | ServicePort | None,
    *,
    allow_loopback: bool,
) -> Behind:
    """Do what `endpoints` does, and give those besides whose sessions may stay."""
    found = snapshot.services.get((namespace, service))
    if found is None:
        return Behind(why=f"there is no Service {namespace}/{service}")
    every, why = members(snapshot, found)
    if why:
        return Behind(why=why)
    allowed = [each for each in every if not _fault(each, allow_loopback)]
    if not allowed:
        return Behind(why=_why_dropped(every, found, allow_loopback))
    matching = list(_on_port(allowed, port))
    if not matching:
        return Behind(why=_why_no_port(allowed, found, port))
    ready = tuple(each for each in matching if each.ready)
    leaving = tuple(each for each in matching if each.serving and each.terminating)
    if ready:
        return Behind(ready, tuple(each for each in leaving if not each.ready))
    return Behind(leaving, why="" if leaving else _why_not_ready(matching, found))


def _fault(member: Member, allow_loopback: bool) -> str:
    return address_fault(member.host, allow_loopback=allow_loopback)


def _on_port(
    behind: Iterable[Member], port: int | str | ServicePort | None
) -> Iterator[ServingEndpoint]:
    seen: set[tuple[str, int]] = set()
    for each in behind:
        for found in each.ports:
            number = _number(found, port)
            if number and (each.host, number) not in seen:
                seen.add((each.host, number))
                yield _serving(each, found, number)


def _number(found: EndpointPort, port: int | str | ServicePort | None) -> int:
    """Give the port number where this endpoint port is the wanted one, else 0."""
    number = found.port or 0
    if isinstance(port, ServicePort):
        same = found.name == port.name and found.protocol == port.protocol
        return (found.port or port.port) if same else 0
    if found.protocol != "TCP":
        return 0
    return number if port is None or str(port) in (found.name, str(number)) else 0


def _serving(member: Member, port: EndpointPort, number: int) -> ServingEndpoint:
    return ServingEndpoint(
        host=member.host,
        port=number,
        name=member.name,
        ready=member.ready,
        serving=member.serving,
        terminating=member.terminating,
        node=member.node,
        hostname=member.hostname,
        port_name=port.name,
        app_protocol=port.app_protocol,
    )


def _why_dropped(behind: Sequence[Member], service: Service, allow_loopback: bool) -> str:
    listed = ", ".join(
        f"{each.host} is {_fault(each, allow_loopback)}" for each in behind[:_MOST_NAMED]
    )
    return f"no address behind {_label(service)} may be used: {listed}"


def _why_no_port(
    behind: Sequence[Member], service: Service, port: int | str | ServicePort | None
) -> str:
    wanted = port.label if isinstance(port, ServicePort) else port
    there = dict.fromkeys(_spell(found) for each in behind for found in each.ports)
    listed = f"there are: {', '.join([*there][:_MOST_NAMED])}" if there else _why_portless(service)
    asked = "no TCP port" if wanted is None else f"no port {wanted}"
    return f"the endpoints of {_label(service)} have {asked}; {listed}"


def _why_portless(service: Service) -> str:
    named = [each.target_port for each in service.ports if isinstance(each.target_port, str)]
    if service.selector and named:
        return f"they have none at all, as no container port is named {' or '.join(named)}"
    return "they have none at all"


def _spell(port: EndpointPort) -> str:
    number = "any" if port.port is None else str(port.port)
    protocol = "" if port.protocol == "TCP" else f"/{port.protocol}"
    return f"{port.name} ({number}{protocol})" if port.name else f"{number}{protocol}"


def _why_not_ready(matching: Sequence[ServingEndpoint], service: Service) -> str:
    listed = ", ".join(dict.fromkeys(each.name or each.host for each in matching[:_MOST_NAMED]))
    hosts = len({each.host for each in matching})
    behind = "the only endpoint" if hosts == 1 else f"none of the {hosts} endpoints"
    ready = "is not ready" if hosts == 1 else "is ready"
    return f"{behind} of {_label(service)} {ready}: {listed}"


def _label(service: Service) -> str:
    return f"Service {service.meta.namespace}/{service.meta.name}"
