"""Clients and pods that do what they like, all kinds at once: no answer goes to the wrong one.

Afterwards nothing is left of them: no gauge, no place, no descriptor, no error in the log.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import ssl
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hellos import hello
from http_rig import Pod, PodConnection
from ingress_objects import endpoints, route, service
from ingress_rig import Daemon, until
from limits_site import POD, RATES, Site, metric

pytestmark = pytest.mark.live
SECONDS = 5.0
CLIENTS = 8
PLACES = 3
RESET = struct.pack("ii", 1, 0)
_ID = re.compile(rb"\r\nX-Id: ([0-9]+)\r\n").search
GAUGES = ("podway_router_http_connections ", "podway_router_tls_connections ")


class Wild(Pod):
    """Echoes each request's X-Id in its answer, in whatever form comes to its mind, or does not."""

    def __init__(self) -> None:
        self.tame = False
        super().__init__(self._handle)

    def _handle(self, connection: PodConnection) -> None:
        while head := connection.head():
            if connection.buffer.startswith(b"\x16"):
                return
            found = _ID(head)
            name = found[1] if found else b"none"
            kind = 0 if self.tame else random.randrange(14)
            length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
            if kind != 1 and length:
                connection.exactly(int(length[1]))
            if not self._answer(connection, head, name, kind):
                return

    def _answer(self, connection: PodConnection, head: bytes, name: bytes, kind: int) -> bool:
        """Answer in one of the ways; True: the connection goes on."""
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
        body = name + b"." * (0 if kind < 12 else 100_000)
        if b"\r\nUpgrade: " in head:
            connection.send(b"HTTP/1.1 101 Yes\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + name)
            connection.more()
            return False
        if kind == 2:
            connection.reset()
        elif kind == 3:
            connection.send(whole[:20])
            connection.reset()
        elif kind == 4:
            connection.send(whole % (len(body) + 50, body))
        elif kind == 5:
            connection.send(whole % (len(body), body) + b"HTTP/1.1 200 OK\r\n")
            return True
        elif kind == 6:
            chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
            return True
        elif kind == 7:
            time.sleep(random.random() / 20)
            connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            connection.send((whole % (len(body), body)).replace(b"200 OK", b"200 OK\r\nX: y"))
            return True
        elif kind == 8:
            connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
        elif kind == 9:
            connection.send(b"nonsense\r\n\r\n")
        else:
            connection.send(whole % (len(body), body))
            return True
        return False


class Client(threading.Thread):
    """One of those who do what they like; `wrong` says what must not have happened."""

    def __init__(self, site: Site, number: int, end: float) -> None:
        super().__init__()
        self.site, self.number, self.end = site, number, end
        self.random = random.Random(number)
        self.wrong: list[str] = []
        self.right = 0

    def run(self) -> None:
        count = 0
        while time.monotonic() < self.end:
            with contextlib.suppress(OSError):
                kind = self.random.choice(("web.t", "web.t", "edge.t", "edge.t", "through.t"))
                if kind == "through.t":
                    self.through()
                    continue
                with self.connect(kind) as sock:
                    for _ in range(self.random.randrange(1, 8)):
                        count += 3
                        if not self.ask(sock, kind, self.number * 1_000_000 + count):
                            break

    def connect(self, kind: str) -> socket.socket:
        secure = kind == "edge.t"
        port = self.site.https if secure else self.site.http
        sock = socket.create_connection((self.site.host, port), 5)
        if not secure:
            return sock
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(sock, server_hostname=kind)

    def through(self) -> None:
        with socket.create_connection((self.site.host, self.site.https), 5) as sock:
            sock.sendall(hello(b"through.t"))
            if self.random.random() < 0.5:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            else:
                sock.settimeout(0.1)
                sock.recv(10)

    def ask(self, sock: socket.socket, host: str, name: int) -> bool:
        """Ask in one of the ways, and look at the answers; True: the connection goes on."""
        way = self.random.randrange(12)
        sock.sendall(self.request(way, host.encode(), name))
        wanted = [name, name + 1] if way == 0 else [name]
        if way in (4, 5):
            if way == 5:
                time.sleep(self.random.random() / 50)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return False
        if way == 6 and not isinstance(sock, ssl.SSLSocket):
            sock.shutdown(socket.SHUT_WR)
        sock.settimeout(3)
        buffer = b""
        for each in wanted:
            body, buffer, goes_on = self.answer(sock, buffer)
            if body is not None:
                self.judge(each, body)
            if not goes_on:
                return False
        if buffer:
            self.wrong.append(f"more came than was asked for: {buffer[:80]!r}")
        return way not in (2, 3, 6)

    def request(self, way: int, host: bytes, name: int) -> bytes:
        """Give what is sent: one request, or two."""
        more = self.random.choice((b"", b"", b"Accept-Encoding: gzip\r\n", b"Accept: */*\r\n"))
        line = b"%s /%d HTTP/1.1\r\nHost: %s\r\n" + more + b"X-Id: %d\r\n"
        get = line % (b"GET", name, host, name)
        if way == 0:
            return get + b"\r\n" + line % (b"GET", name + 1, host, name + 1) + b"\r\n"
        if way == 1:
            size = self.random.choice((1, 100, 300_000))
            post = line % (b"POST", name, host, name) + b"Content-Length: %d\r\n\r\n" % size
            return post + b"b" * self.random.choice((size, size, size // 2))
        if way == 2:
            return get + b"Connection: upgrade\r\nUpgrade: x\r\n\r\n"
        return get + (b"Connection: close\r\n\r\n" if way == 3 else b"\r\n")

    def judge(self, name: int, body: bytes) -> None:
        found = re.match(rb"([0-9]+)\.*$", body)
        if found is None or int(found[1]) != name:
            self.wrong.append(f"{name} got {body[:80]!r}")
        self.right += 1

    def answer(self, sock: socket.socket, buffer: bytes) -> tuple[bytes | None, bytes, bool]:
        """Read one answer: its body if it is a pod's, what is behind it, whether more may come."""
        while True:
            while b"\r\n\r\n" not in buffer:
                buffer += _some(sock)
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            status = int(head[9:12])
            if status != 103:
                break
        if status == 101:
            buffer = buffer or _some(sock)
            return buffer, b"", False
        length = re.search(rb"(?i)\r\ncontent-length: ?([0-9]+)", head)
        if length:
            while len(buffer) < int(length[1]):
                buffer += _some(sock)
            body, buffer = buffer[: int(length[1])], buffer[int(length[1]) :]
        elif b"chunked" in head:
            while not buffer.endswith(b"0\r\n\r\n"):
                buffer += _some(sock)
            size, _, rest = buffer.partition(b"\r\n")
            body, buffer = rest[: int(size, 16)], b""
            if b"gzip" in head:
                return None, b"", b"close" not in head
        else:
            return None, b"", False
        closes = b"\r\nConnection: close" in head
        return (body if status == 200 else None), buffer, not closes


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(65_536)
    if not data:
        raise ConnectionError
    return data


SPECS: dict[str, dict[str, Any]] = {
    "nothing more": {},
    "all that there is": {
        "httpCompression": {"mimeTypes": ["text/plain"]},
        "logging": {"access": {"destination": {"type": "Container"}}},
        "httpHeaders": {
            "uniqueId": {"name": "X-Unique"},
            "actions": {
                "response": [{"name": "X-A", "action": {"type": "Set", "set": {"value": "a"}}}]
            },
        },
    },
}


@pytest.mark.parametrize("spec", SPECS)
def test_nothing_is_left_of_havoc(tmp_path: Path, spec: str) -> None:
    site, pods = Site(tmp_path), [Wild(), Wild()]
    site.spec = SPECS[spec]
    limits = {RATES: "true", RATES + ".concurrent-tcp": "1000", POD: str(PLACES)}
    limited = limits if spec != "nothing more" else {}
    where = [pod.endpoint.address for pod in pods]
    through = {"termination": "passthrough"}
    site.objects = [
        *(service("web"), *endpoints("web", *where)),
        route("web", "web.t", "web", annotations=limited),
        route("edge", "edge.t", "web", tls={"termination": "edge"}),
        route("through", "through.t", "web", annotations=limits, tls=through),
    ]
    site.put()
    with site.router(workers=2) as router:
        before = {pid: _descriptors(pid) for pid in router.pids("worker")}
        end = time.monotonic() + SECONDS
        clients = [Client(site, number, end) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(SECONDS / 3)  # in the middle of it all
        site.put(route("new", "new.t", "web"))
        killed = router.pids("worker")[0]
        os.kill(killed, signal.SIGKILL)
        for client in clients:
            client.join()
        assert [wrong for client in clients for wrong in client.wrong] == []
        assert sum(client.right for client in clients) > CLIENTS
        for pod in pods:
            pod.tame = True
        _nothing_is_left(site, router, before, killed)
    for pod in pods:
        pod.close()


def _nothing_is_left(site: Site, router: Daemon, before: dict[int, int], killed: int) -> None:
    until("no connection is left", lambda: [metric(router, one) for one in GAUGES] == [0, 0])
    until("nobody waits", lambda: metric(router, "podway_router_queued ") == 0)
    for pid, count in before.items():
        if pid != killed:  # at most the connections to the pods are kept
            until("descriptors are back", lambda p=pid, n=count: _descriptors(p) <= n + 2 * 64)
    for _ in range(6 * PLACES):
        with socket.create_connection((site.host, site.http), 5) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: web.t\r\nX-Id: 7\r\nConnection: close\r\n\r\n")
            assert b" 200 " in sock.recv(65_536).split(b"\r\n")[0]
    events = [each["event"] for each in router.events() if each.get("level") == "error"]
    assert [each for each in events if "callback" in each] == []


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
