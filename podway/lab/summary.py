"""What the lab tells its user: the hosts, and lines to paste. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from podway.lab.plan import Lab
from podway.lab.ports import DNS, HTTP, HTTPS, Ports

if TYPE_CHECKING:
    from podway_cluster import Snapshot
    from podway_cluster.model import Route


class Host(NamedTuple):
    """A Route, as its user sees it."""

    name: str
    path: str
    url: str
    leads_to: str
    ready: bool
    """Somebody would answer."""
    secure: bool


def hosts(snapshot: Snapshot, ports: Ports) -> list[Host]:
    """Give the Routes in the order in which they were read."""
    return [_host(route, snapshot, ports) for route in snapshot.routes.values() if route.host]


def url(host: str, path: str, *, secure: bool, ports: Ports) -> str:
    """Give the URL with its port, where that is not the scheme's own."""
    scheme, port, usual = ("https", ports.https, 443) if secure else ("http", ports.http, 80)
    return f"{scheme}://{host}{'' if port == usual else f':{port}'}{path or '/'}"


def port_lines(ports: Ports) -> list[str]:
    """Say which ports were taken, and why where they are not the well-known ones."""
    rows = (("http", ports.http, HTTP), ("https", ports.https, HTTPS), ("dns", ports.dns, DNS))
    return [f"{name} {port}" + _instead(port, usual) for name, port, usual in rows]


def _instead(port: int, usual: Sequence[int]) -> str:
    return "" if port == usual[0] else f" (in place of {usual[0]})"


def paste(lab: Lab, found: Sequence[Host], ports: Ports, ca: Path) -> list[str]:
    """Give shell lines that work as they are: dig, and curl for one host of each kind."""
    plain = next((host for host in found if host.ready and not host.secure), None)
    secure = next((host for host in found if host.ready and host.secure), None)
    lines = []
    if plain is not None:
        lines.append(f"dig @{lab.dns}{_dig_port(ports)} {plain.name} +short")
        lines += [_curl(plain, balancer.addresses[0], ports.http) for balancer in lab.balancers]
    if secure is not None:
        address = lab.balancers[0].addresses[0]
        lines.append(_curl(secure, address, ports.https, f" --cacert {ca}"))
    broken = next((host for host in found if not host.ready), None)
    lines += [f"podway trace {host.url}" for host in (plain, broken) if host is not None]
    return lines


def _host(route: Route, snapshot: Snapshot, ports: Ports) -> Host:
    from podway_cluster.endpoints import endpoints

    counts, words = 0, []
    for backend in route.backends:
        found, why = endpoints(
            snapshot, route.meta.namespace, backend.name, route.target_port, allow_loopback=True
        )
        counts += len(found) if backend.weight else 0
        share = f" weight {backend.weight}" if route.alternate_backends else ""
        pods = f"{len(found)} pod{'' if len(found) == 1 else 's'}" if found else why
        words.append(f"{backend.name}{share}: {pods}")
    secure = route.tls is not None
    kind = f" ({route.tls.termination})" if route.tls is not None else ""
    address = url(route.host, route.path, secure=secure, ports=ports)
    return Host(route.host, route.path or "/", address, ", ".join(words) + kind, counts > 0, secure)


def _dig_port(ports: Ports) -> str:
    return "" if ports.dns == 53 else f" -p {ports.dns}"


def _curl(host: Host, address: str, port: int, options: str = "") -> str:
    return f"curl{options} --resolve {host.name}:{port}:{address} {host.url}"
