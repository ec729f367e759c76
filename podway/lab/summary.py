"""What the lab tells its user: what runs, the hosts, and lines to paste. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from podway.lab.lines import Paint
from podway.lab.plan import Lab
from podway.lab.ports import Ports

if TYPE_CHECKING:
    from podway.lab.prepare import Prepared
    from podway_cluster import Snapshot
    from podway_cluster.model import Route


TERMINATIONS = ("passthrough", "edge", "reencrypt")
"""The kinds of https of which the summary shows one each, in this order."""


class Host(NamedTuple):
    """A Route, as its user sees it."""

    name: str
    path: str
    url: str
    leads_to: str
    ready: bool
    """Somebody would answer."""
    termination: str = ""
    """Who ends TLS: edge, passthrough, reencrypt; empty: there is none."""

    @property
    def secure(self) -> bool:
        """It is reached by https."""
        return bool(self.termination)


def greeting(prepared: Prepared, paint: Paint) -> Iterator[str]:
    """Give the first lines: what is about to run, from what, on which ports."""
    lab, ports = prepared.lab, prepared.ports
    names = ["dns", *(one.name for one in lab.balancers)]
    names += [f"router {one.node}" for one in lab.routers]
    yield paint("strong", "podway: the way from the internet to your pods")
    yield f"  objects  {', '.join(map(str, prepared.manifests))}"
    yield f"  parts    {', '.join(names)}, {len(lab.pods)} pods"
    yield f"  ports    http {ports.http}, https {ports.https}, dns {ports.dns}"
    for note in prepared.notes:
        yield paint("dim", f"           {note}")
    for problem in prepared.snapshot.problems:
        yield f"  {paint('warn', 'problem')}  {problem}"
    yield ""


def usage(prepared: Prepared, paint: Paint) -> Iterator[str]:
    """Give every host with what it leads to, and shell lines to paste."""
    found = hosts(prepared.snapshot, prepared.ports)
    width = max((len(host.url) for host in found), default=0)
    yield ""
    for host in found:
        leads_to = paint("dim" if host.ready else "warn", host.leads_to)
        yield f"  {host.url:<{width}}  {leads_to}"
    yield ""
    for line in paste(prepared.lab, found, prepared.ports, prepared.state / "ca.pem"):
        yield f"  {paint('strong', line)}"
    command = prepared.command
    for line in (f"{command} trace {url}" for url in traceable(found)):
        yield f"  {paint('strong', line)}"
    yield ""
    yield paint("dim", "A changed file in manifests/ applies at once. Ctrl-C ends.")
    yield ""


def hosts(snapshot: Snapshot, ports: Ports) -> list[Host]:
    """Give the Routes in the order in which they were read."""
    return [_host(route, snapshot, ports) for route in snapshot.routes.values() if route.host]


def url(host: str, path: str, *, secure: bool, ports: Ports) -> str:
    """Give the URL with its port, where that is not the scheme's own."""
    scheme, port, usual = ("https", ports.https, 443) if secure else ("http", ports.http, 80)
    return f"{scheme}://{host}{'' if port == usual else f':{port}'}{path or '/'}"


def paste(lab: Lab, found: Sequence[Host], ports: Ports, ca: Path) -> list[str]:
    """Give shell lines that work as they are: dig, and curl for one host of each kind."""
    plain = next((host for host in found if host.ready and not host.secure), None)
    lines = []
    if plain is not None:
        at_port = "" if ports.dns == 53 else f" -p {ports.dns}"
        lines.append(f"dig @{lab.dns}{at_port} {plain.name} +short")
        lines += [_curl(plain, balancer.addresses[0], ports.http) for balancer in lab.balancers]
    by_kind = {host.termination: host for host in reversed(found) if host.ready and host.secure}
    address = lab.balancers[0].addresses[0]
    secure = [by_kind[kind] for kind in TERMINATIONS if kind in by_kind]
    return lines + [_curl(one, address, ports.https, f" --cacert {ca}") for one in secure]


def traceable(found: Sequence[Host]) -> list[str]:
    """Give the URLs that are worth a trace: one of each kind, and one that does not work."""
    kinds = {(host.ready, host.secure): host.url for host in reversed(found)}
    return [kinds[kind] for kind in ((True, False), (True, True), (False, False)) if kind in kinds]


def _host(route: Route, snapshot: Snapshot, ports: Ports) -> Host:
    from podway_cluster.endpoints import endpoints

    count, words = 0, []
    for backend in route.backends:
        found, why = endpoints(
            snapshot, route.meta.namespace, backend.name, route.target_port, allow_loopback=True
        )
        count += len(found) if backend.weight else 0
        share = f" weight {backend.weight}" if route.alternate_backends else ""
        pods = f"{len(found)} pod{'' if len(found) == 1 else 's'}" if found else why
        words.append(f"{backend.name}{share}: {pods}")
    termination = route.tls.termination if route.tls is not None else ""
    kind = f" ({termination})" if termination else ""
    address = url(route.host, route.path, secure=bool(termination), ports=ports)
    leads_to = ", ".join(words) + kind
    return Host(route.host, route.path or "/", address, leads_to, count > 0, termination)


def _curl(host: Host, address: str, port: int, options: str = "") -> str:
    return f"curl{options} --resolve {host.name}:{port}:{address} {host.url}"
