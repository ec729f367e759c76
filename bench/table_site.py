"""Manifests with many Routes, and two pods that say who they are."""

from __future__ import annotations

import contextlib
import socket
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

from podway_router.authority import passing

SERVICES = 100
"""Services of each pod, over which the Routes are spread."""

CONTROLLER = """apiVersion: operator.openshift.io/v1
kind: IngressController
metadata: {{name: apps, namespace: openshift-ingress-operator}}
spec:
  domain: apps.test
  endpointPublishingStrategy:
    type: HostNetwork
    hostNetwork: {{httpPort: {http}, httpsPort: {https}, statsPort: {stats}}}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{ports: [{{port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}, namespace: shop, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{{addresses: [127.0.0.1]}}]
ports: [{{port: {port}}}]
"""
TLS = """  tls:
    termination: edge
    insecureEdgeTerminationPolicy: Allow
    certificate: |
{certificate}
    key: |
{key}
"""
ROUTE = """apiVersion: route.openshift.io/v1
kind: Route
metadata:
  name: r{number}
  namespace: shop
spec:
  host: {host}
  to:
    kind: Service
    name: {service}
"""


class Site:
    """A folder with `count` Routes, each in a file of its own, all to the blue pod at first.

    With `certificates` each has one of its own.
    """

    def __init__(
        self, folder: Path, count: int, blue: int, green: int, certificates: bool = False
    ) -> None:
        self.count = count
        self._authority = passing() if certificates else None
        self.folder = folder / "manifests"
        self.http, https, stats, self.admin = (("127.0.0.1", port) for port in free_ports(4))
        (self.folder / "routes").mkdir(parents=True)
        ports = {"http": self.http[1], "https": https[1], "stats": stats[1]}
        (self.folder / "controller.yaml").write_text(CONTROLLER.format(**ports))
        services = [
            SERVICE.format(name=f"{color}-{number}", port=port)
            for color, port in (("blue", blue), ("green", green))
            for number in range(SERVICES)
        ]
        (self.folder / "services.yaml").write_text("---\n".join(services))
        for number in range(count):
            self.route(number, "blue")

    def host(self, number: int) -> str:
        """Give the host of a Route."""
        return f"r{number}.apps.test"

    def route(self, number: int, color: str) -> None:
        """Write a Route to one of the pods, in one step."""
        service = f"{color}-{number % SERVICES}"
        file = self.folder / "routes" / f"r{number}.yaml"
        new = file.with_suffix(".new")
        text = ROUTE.format(number=number, host=self.host(number), service=service)
        new.write_text(text + self._tls(number))
        new.replace(file)

    def _tls(self, number: int) -> str:
        if self._authority is None:
            return ""
        pair = self._authority.leaf([self.host(number)])
        certificate, key = (textwrap.indent(text.rstrip(), " " * 6) for text in pair)
        return TLS.format(certificate=certificate, key=key)


def free_ports(count: int) -> list[int]:
    """Give ports that are free at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [sock.getsockname()[1] for sock in sockets]


@contextlib.contextmanager
def pods() -> Iterator[list[int]]:
    """Run the pods blue and green until the block ends; gives their ports."""
    with contextlib.ExitStack() as stack:
        ports = []
        for color in (b"blue", b"green"):
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            threading.Thread(target=_serve, args=(server, color), daemon=True).start()
            ports.append(server.getsockname()[1])
        yield ports


def _serve(server: socket.socket, color: bytes) -> None:
    with contextlib.suppress(OSError):  # the listening socket is closed: the measurement is over
        while True:
            threading.Thread(target=_answer, args=(server.accept()[0], color), daemon=True).start()


def _answer(sock: socket.socket, color: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(color), color)
    with sock, contextlib.suppress(OSError):
        while sock.recv(65_536):
            sock.sendall(answer)
