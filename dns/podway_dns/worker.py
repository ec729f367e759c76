"""The worker's part of podway-dns: sockets in, answers out."""

from __future__ import annotations

import gc
import socket
from collections.abc import Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING

from podway_dns import limits
from podway_dns.entries import Update, update
from podway_dns.framing import Framing, LengthFraming
from podway_dns.limiter import Limiter
from podway_dns.meter import COUNTERS, Meter
from podway_dns.options import HTTP, TLS, UDP
from podway_dns.policy import Policy
from podway_dns.server import Server
from podway_dns.tcp import Connections, Stream, Wrap, plain
from podway_dns.udp import UdpFront
from podway_proxy.plane.listener import Listener
from podway_proxy.process.daemon import WorkerLink
from podway_proxy.process.spec import Json, ListenerSpec

if TYPE_CHECKING:
    from podway_dns.forward import Forwarder

__all__ = ["COUNTERS", "LATER", "Worker", "build"]

LATER = ("podway_dns.slow", "podway_dns.addresses")
"""What only some questions need (see `podway_proxy.process.daemon`)."""

_AT_ONCE = 2048
"""Names that are taken in one go, about 8 ms; more are taken in steps between queries."""


class Worker:
    """The app of a worker process."""

    def __init__(self, link: WorkerLink) -> None:
        self._plane = link.plane
        self._options = link.options
        self._server = server(link)
        most = max(1, limits.TCP_CONNECTIONS // link.workers)
        self._connections = Connections(link.plane, self._server, most)
        self._udp: dict[str, UdpFront] = {}
        self._listeners: dict[str, Listener] = {}
        self._updates: list[tuple[Mapping[str, Json], Collection[str]]] = []
        self._update: Update | None = None

    def listen(self, spec: ListenerSpec, sock: socket.socket) -> None:
        """Serve a socket."""
        kind = spec.key.split(" ")[0]
        if kind == UDP:
            self._udp[spec.key] = UdpFront(self._plane, sock, self._server)
            return
        accept = partial(self._connections.accept, kind, self._framing(kind), self._wrap(kind))
        self._listeners[spec.key] = Listener(self._plane, sock, accept)

    def _framing(self, kind: str) -> Framing:
        if kind != HTTP:
            return LengthFraming()
        from podway_dns.doh import HttpFraming  # brings h11 and httptools, for who wants HTTP

        return HttpFraming()

    def _wrap(self, kind: str) -> Wrap:
        if kind != TLS:
            return plain
        from podway_dns import tls  # ssl takes 27 ms to import

        context = tls.context(self._options["tls_cert"], self._options["tls_key"])

        def wrapped(sock: socket.socket) -> tuple[socket.socket, Stream]:
            made = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            return made, tls.TlsStream(made)

        return wrapped

    def unlisten(self, key: str) -> None:
        """Answer or accept what is queued, and close."""
        if key in self._udp:
            self._udp.pop(key).close()
        elif key in self._listeners:
            self._listeners.pop(key).drain()

    def apply(self, entries: Mapping[str, Json], changed: Collection[str]) -> None:
        """Swap to the new zones, at once or, where much has changed, when they are ready.

        The first load is waited for: until then every answer is SERVFAIL.
        """
        idle = self._update is None and not self._updates
        if idle and (self._server.snapshot is None or len(changed) <= _AT_ONCE):
            self._server.snapshot = update(self._server.snapshot, entries, changed)
            if len(changed) > _AT_ONCE:
                gc.freeze()  # the collector must not walk 100,000 names while queries wait
            return
        self._updates.append((dict(entries), changed))  # the caller's own changes under our hands
        if idle:
            self._begin()

    def _begin(self) -> None:
        entries, changed = self._updates.pop(0)
        self._update = Update(self._server.snapshot, entries, changed)
        self._plane.soon(self._step)

    def _step(self) -> None:
        """Decode some names, let queries be answered, come again; swap at the end."""
        if self._update is None:
            return
        if self._update.step():
            self._plane.soon(self._step)
            return
        self._server.snapshot = self._update.snapshot
        self._update = None
        gc.freeze()
        if self._updates:
            self._begin()

    def drain(self) -> None:
        """Close all sockets; connections end when their queries are answered."""
        for key in [*self._udp, *self._listeners]:
            self.unlisten(key)
        self._connections.drain()

    def active(self) -> int:
        """Count the connections that are still open."""
        return self._connections.active


def server(link: WorkerLink) -> Server:
    """Make the answering part as the options want it."""
    options = link.options
    meter = Meter(link.counters)
    secret = bytes.fromhex(options["cookie_secret"])
    limit = Limiter(options["rate_limit"], options["rate_slip"])
    log = link.log if options["query_log"] else None
    return Server(meter, Policy(limit, forwarder(link), log, meter, secret), secret)


def forwarder(link: WorkerLink) -> Forwarder | None:
    """Make the forwarder, if there is a resolver to forward to."""
    options = link.options
    if not options["forward"]:
        return None
    from podway_dns.forward import Forwarder  # brings ipaddress, for who forwards

    resolvers = [(host, port) for host, port in options["forward"]]
    return Forwarder(link.plane, resolvers, options["forward_allow"] or ["127.0.0.0/8", "::1/128"])


def build(worker: WorkerLink) -> Worker:
    """Make the app of a worker process."""
    return Worker(worker)
