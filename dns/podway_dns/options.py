"""The command line of podway-dns as typed values: what loader and worker read of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from podway_proxy.process import address
from podway_proxy.process.spec import ListenerSpec

DEFAULT_LISTEN = ("0.0.0.0", 53)  # noqa: S104 - the documented default: every address
UDP, TCP, TLS, HTTP = "udp", "tcp", "tls", "http"
"""The kinds of our listeners: the first word of a `ListenerSpec.key`."""


class ServerName(NamedTuple):
    """`--ns NAME` or `NAME=ADDR`."""

    name: str
    addresses: tuple[str, ...]


def server_name(text: str) -> str:
    """Check a `--ns` option; it is kept as text, since options travel as JSON."""
    name, sign, addresses = text.partition("=")
    if not name:
        raise ValueError(f"{text!r}: expected NAME or NAME=ADDR, as ns1.example.test=192.0.2.53")
    for each in addresses.split("+") if sign else ():
        address.parse_host(each)
    return text


def read_server(text: str) -> ServerName:
    """Read a `--ns` option."""
    name, _, addresses = text.partition("=")
    return ServerName(name, tuple(filter(None, addresses.split("+"))))


def listeners(options: Mapping[str, Any]) -> tuple[ListenerSpec, ...]:
    """Give the sockets that the options ask for: UDP and TCP for each `--listen`."""
    specs = []
    for host, port in options["listen"] or [DEFAULT_LISTEN]:
        specs += [_spec(UDP, host, port, "--listen"), _spec(TCP, host, port, "--listen")]
    specs += [_spec(TLS, host, port, "--tls-listen") for host, port in options["tls_listen"]]
    specs += [_spec(HTTP, host, port, "--http-listen") for host, port in options["http_listen"]]
    return tuple(specs)


def _spec(kind: str, host: str, port: int, why: str) -> ListenerSpec:
    transport = "udp" if kind == UDP else "tcp"
    return ListenerSpec(f"{kind} {address.show(host, port)}", host, port, transport, why=why)


def own_addresses(options: Mapping[str, Any]) -> Sequence[str]:
    """Give the addresses that are listened on, for the name server's own record."""
    hosts = [host for host, _ in options["listen"] or [DEFAULT_LISTEN]]
    return [host for host in dict.fromkeys(hosts) if host not in ("0.0.0.0", "::")]  # noqa: S104
