"""Walks the way of one URL: a generator of steps that ends at the first one that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from socket import socket
from typing import Any, NamedTuple

from podway.lab.ports import Ports
from podway.trace import live
from podway.trace.explain import Found, cutting, find_route, service_step
from podway.trace.page import ERROR_PAGE, operators_page, router_page
from podway.trace.step import Step, Target
from podway_cluster import Snapshot

_OF_PODS: Mapping[str, str] = {
    "connect": "Does the container listen on its containerPort, on all addresses?",
    "queue": "Each pod is busy with as many requests as the Route's pod-concurrent-connections "
    "allows: raise it, or run more pods.",
    "server-timeout": "Find out what the pod waits for, or raise the Route's annotation "
    "haproxy.router.openshift.io/timeout (30s where there is none).",
    "reset": "The pod ended the connection before it had answered: its log says why.",
    "bad-answer": "What the pod sends is no HTTP: does it speak TLS there (reencrypt)?",
    ERROR_PAGE: "Do the pods accept connections? The router's log names the step that failed.",
}
"""What to do about a step that failed at the pods."""
_OF_ROUTER: Mapping[str, str] = {
    "misdirected": "Send the same host as server name (SNI) and as Host.",
    "client-certificate": "Show a certificate whose subject the IngressController's "
    "clientTLS.allowedSubjectPatterns allow.",
}


class Way(NamedTuple):
    """Where the walk begins, and what it is explained with."""

    target: Target
    snapshot: Snapshot
    dns: tuple[str, int]
    ports: Ports
    lb: tuple[str, int] | None = None
    """Given: DNS is left out."""


def walk(way: Way) -> Iterator[Step]:
    """Give the steps as they happen; the last one is `pod` and ok if a pod answered."""
    addresses, port = _beginning(way)
    if way.lb is None:
        step, addresses = live.ask_dns(way.dns, way.target.host)
        yield step if step.ok else _with_advice(step, way)
        if not step.ok:
            return
    step, sock = live.connect(addresses, port)
    yield _balancer(step, way, addresses, port)
    if sock is None:
        return
    with sock:
        found = find_route(way.snapshot, way.target)
        yield from (
            _secure(way, sock, port, found)
            if way.target.secure
            else _beyond(way, sock, port, found, [])
        )


def _beginning(way: Way) -> tuple[tuple[str, ...], int]:
    usual = way.ports.https if way.target.secure else way.ports.http
    if way.lb is not None:
        return (way.lb[0],), way.lb[1] or way.target.port or usual
    return (), way.target.port or usual


def _secure(way: Way, sock: socket, port: int, found: Found) -> Iterator[Step]:
    """Go on with TLS: the router reads the server name and passes the rest through."""
    try:
        wrapped, shown = live.handshake(sock, way.target.host)
    except OSError as error:
        text = f"the TLS handshake with server name {way.target.host} failed: {live.reason(error)}"
        yield Step("router", not found.step.ok, text)
        yield from _explained(way, found, None)
        return
    details = [
        f"certificate for {shown.subject}, by {shown.issuer}, until {shown.until}",
        f"names in it: {', '.join(shown.names) or 'none'}",
    ]
    with wrapped:
        end = f"{shown.version} with the {'router' if _ends_tls(found) else 'pod'}"
        yield from _beyond(way, wrapped, port, found, [end, *details])


def _beyond(way: Way, sock: socket, port: int, found: Found, tls: list[str]) -> Iterator[Step]:
    """Ask, and explain what came of it from the router on."""
    try:
        heard = live.ask(sock, way.target, port)
    except OSError as error:
        yield Step("router", False, live.reason(error), tuple(tls), _silent_advice(found))
        yield from _explained(way, found, None)
        return
    page = router_page(heard.answer) or operators_page(way.snapshot, heard.answer)
    passed = page is None and not found.redirect
    yield _router_step(way.target, heard, page, found, tls)
    if found.redirect:
        return
    yield from _explained(way, found, page)
    if passed and found.status is not None:
        yield _pod_step(heard)


def _router_step(
    target: Target, heard: live.Heard, page: dict[str, Any] | None, found: Found, tls: list[str]
) -> Step:
    status = heard.answer.status
    if page is not None:
        text = f"answered {status} itself: {page['step']}: {page['reason']}"
        return Step("router", True, text, (f"({page.get('server', 'router')})",))
    if found.redirect:
        where = heard.answer.headers.get("location", "elsewhere")
        advice = f"Trace that: podway trace {where}"
        return Step("router", False, f"answered {status}: go to {where}", (), advice)
    way = f"server name (SNI) {target.host}" if target.secure else f"Host {target.host}"
    rule = _rule(found) if target.secure else "passed the request on"
    return Step("router", True, f"read the {way} and {rule}", tuple(tls))


def _ends_tls(found: Found) -> bool:
    """Tell whether the router has the keys; it has for hosts that it does not know, too."""
    tls = found.status.route.tls if found.status is not None else None
    return tls is None or tls.termination != "passthrough"


def _rule(found: Found) -> str:
    """Say what the router did with a connection in TLS."""
    tls = found.status.route.tls if found.status is not None else None
    return {
        "edge": "ended TLS (edge) and passed the request on",
        "reencrypt": "ended TLS and passed the request on inside TLS of its own (reencrypt)",
    }.get(tls.termination if tls else "", "passed TLS through unopened")


def _explained(way: Way, found: Found, page: dict[str, Any] | None) -> Iterator[Step]:
    """Explain Route and Service; where the router refused, end with the step that failed."""
    yield found.step
    if found.status is None:
        return
    service = service_step(way.snapshot, found.status)
    yield service
    if service.ok and page is not None:
        yield _refused(found, page)


def _refused(found: Found, page: dict[str, Any]) -> Step:
    """Say what to do where Route and Service are in order and the router answered itself."""
    advice = _OF_PODS.get(page["step"])
    if advice is None:
        advice = _OF_ROUTER.get(page["step"], "The router's log says more about it.")
        return Step("router", False, page["reason"], (), advice)
    endpoints = found.status.served.endpoints if found.status is not None else ()
    details = [
        f"{host}:{port} {name}: {live.listens(host, port) or 'accepts a connection'}"
        for host, port, name, _ in endpoints
    ]
    return Step("pod", False, f"{page['step']}: {page['reason']}", tuple(details), advice)


def _pod_step(heard: live.Heard) -> Step:
    headers = heard.answer.headers
    who = headers.get("x-pod", "")
    name = f"{who} answered" if who else "answered"
    node = f" on {headers['x-node']}" if "x-node" in headers else ""
    return Step("pod", True, f"{name}{node}: {heard.answer.status} ({heard.milliseconds:.1f} ms)")


def _with_advice(step: Step, way: Way) -> Step:
    """Add what dns could have answered, from the objects."""
    names = [record.dns_name for record in way.snapshot.dns_records.values()]
    zones = [zone.base_domain for zone in way.snapshot.dns.values()]
    if step.advice or not names:
        return step
    details = (f"zone {', '.join(zones)}; names: {', '.join(names)}",)
    advice = "Use a host that one of these covers, or add a DNSRecord for it."
    return step._replace(details=(*step.details, *details), advice=advice)


def _balancer(step: Step, way: Way, addresses: tuple[str, ...], port: int) -> Step:
    """Add which Service the address belongs to and whereto it forwards."""
    lines = []
    for service in way.snapshot.services.values():
        if service.type == "LoadBalancer" and set(addresses) & set(service.load_balancer_ips):
            slices = way.snapshot.slices_by_service.get(service.meta.key, ())
            hosts = [h for one in slices for each in one.endpoints for h in each.addresses]
            name = f"{service.meta.namespace}/{service.meta.name}"
            lines.append(f"Service {name} forwards to the routers on {', '.join(hosts)}")
    advice = (
        ""
        if step.ok
        else (
            f"No load balancer listens on port {port} of these. Is the lab running (`podway up`), "
            "and is this the port it printed?"
        )
    )
    return step._replace(details=(*step.details, *lines), advice=advice)


def _silent_advice(found: Found) -> str:
    cuts = cutting(found.status.route) if found.status is not None else ""
    if cuts:
        return (
            f"The Route asks the router to cut connections without an answer: {cuts}. If it did, "
            "its log names the step (allowlist, rate-limit); if not, the pod ended the connection."
        )
    if found.step.ok:
        return "The router or the pod ended the connection; the lab's log says why."
    return ""
