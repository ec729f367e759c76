"""The worker's part of podway-dns: sockets in, answers out."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping

from podway_dns import entries as zone_entries
from podway_dns import limits
from podway_dns.meter import COUNTERS
from podway_dns.options import UDP
from podway_dns.server import Server
from podway_dns.tcp import TcpFront
from podway_dns.udp import UdpFront
from podway_proxy.plane.listener import Listener
from podway_proxy.process.daemon import WorkerLink
from podway_proxy.process.spec import Json, ListenerSpec

__all__ = ["COUNTERS", "Worker", "build"]


class Worker:
    """The app of a worker process."""

    def __init__(self, link: WorkerLink) -> None:
        self._plane = link.plane
        self._server = Server(link.options, link.counters)
        most = max(1, limits.TCP_CONNECTIONS // link.workers)
        self._tcp = TcpFront(link.plane, self._server, most)
        self._udp: dict[str, UdpFront] = {}
        self._listeners: dict[str, Listener] = {}

    def listen(self, spec: ListenerSpec, sock: socket.socket) -> None:
        """Serve a socket."""
        if spec.key.startswith(UDP):
            self._udp[spec.key] = UdpFront(self._plane, sock, self._server)
        else:
            self._listeners[spec.key] = Listener(self._plane, sock, self._tcp.accept)

    def unlisten(self, key: str) -> None:
        """Answer or accept what is queued, and close."""
        if key in self._udp:
            self._udp.pop(key).close()
        elif key in self._listeners:
            self._listeners.pop(key).drain()

    def apply(self, entries: Mapping[str, Json], changed: Collection[str]) -> None:
        """Swap to the new zones."""
        self._server.snapshot = zone_entries.update(self._server.snapshot, entries, changed)

    def drain(self) -> None:
        """Close all sockets; connections end when their queries are answered."""
        for key in [*self._udp, *self._listeners]:
            self.unlisten(key)
        self._tcp.drain()

    def active(self) -> int:
        """Count the connections that are still open."""
        return self._tcp.active


def build(worker: WorkerLink) -> Worker:
    """Make the app of a worker process."""
    return Worker(worker)
