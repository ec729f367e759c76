"""A router of several workers whose Routes have limits, and pods that hold their requests."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import http_rig
from edge_site import Site as EdgeSite
from http_rig import PodConnection
from ingress_objects import Object, endpoints, route, service
from ingress_rig import Daemon

H = "haproxy.router.openshift.io/"
RATES = H + "rate-limit-connections"
POD = H + "pod-concurrent-connections"
REQUEST = b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"
CUT = "cut"


class HoldingPod(http_rig.Pod):
    """Answers `/hold` when it is told to, `/work` after 5 ms; knows how many it has at a time."""

    def __init__(self, name: str = "") -> None:
        self.release = threading.Event()
        self.now = self.most = self.served = 0
        self._lock = threading.Lock()
        super().__init__(self._handle, name)

    def _handle(self, connection: PodConnection) -> None:
        while head := connection.head():
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            if b"GET /hold" in head:
                self.release.wait(20)
            elif b"GET /work" in head:
                time.sleep(0.005)
            with self._lock:
                self.now -= 1
                self.served += 1
            connection.send(http_rig.OK)


class Site(EdgeSite):
    """Routes `<name>.t`, each with its annotations and pods."""

    def limited(
        self, name: str, *pods: http_rig.Pod, annotations: dict[str, str], **spec: Any
    ) -> None:
        """Add a Route."""
        where = [pod.endpoint.address for pod in pods]
        made: list[Object] = [
            service(name),
            *endpoints(name, *where),
            route(name, f"{name}.t", name, annotations=annotations, **spec),
        ]
        self.objects += made
        self.put()

    def ask(self, name: str, path: str = "/", source: str = "") -> str:
        """Ask once on a connection of its own: the status, or CUT."""
        with self.connect(source) as sock:
            return self.talk(sock, name, path)

    def connect(self, source: str = "") -> socket.socket:
        """Connect to the HTTP port."""
        bound = (source, 0) if source else None
        return socket.create_connection((self.host, self.http), 20, source_address=bound)

    def talk(self, sock: socket.socket, name: str, path: str = "/") -> str:
        """Send a request and give its answer's status, or CUT."""
        try:
            sock.sendall(REQUEST % (path.encode(), f"{name}.t".encode()))
        except ConnectionError:
            return CUT
        return answered(sock)


def answered(sock: socket.socket) -> str:
    """Give the status of the next answer, or CUT."""
    try:
        data = sock.recv(65536)
    except ConnectionError:
        return CUT
    return data.split(b" ", 2)[1].decode() if data else CUT


def metric(router: Daemon, name: str) -> int:
    """Give one of the router's metrics, 0 where there is none."""
    lines = router.get("/metrics")[1].splitlines()
    return next((int(float(line.split()[-1])) for line in lines if line.startswith(name)), 0)
