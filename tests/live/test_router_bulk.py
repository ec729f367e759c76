"""Bodies of a gigabyte through the real router: unchanged, at constant memory, spliced if plain."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import signal
import socket
import ssl
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from edge_site import Site
from http_rig import Pod, PodConnection
from ingress_objects import endpoints, route, service
from ingress_rig import PATIENCE, Daemon, until

pytestmark = pytest.mark.live
BLOCK = 1 << 20
BASE = os.urandom(BLOCK - 8)
GIB = 1 << 30
GROWTH = 12 << 20
"""Bytes that a worker may grow by at its peak: buffers of one read, whatever the body's size."""
HOSTS = {"plain": "plain.apps.example.test", "edge": "edge.apps.example.test"}


def blocks(size: int) -> Iterator[bytes]:
    """No two blocks are alike: what is lost, doubled or moved shows in the hash."""
    for number in range(size // BLOCK):
        yield number.to_bytes(8, "big") + BASE


@lru_cache
def digest(size: int) -> str:
    made = hashlib.sha256()
    for block in blocks(size):
        made.update(block)
    return made.hexdigest()


def serve(connection: PodConnection) -> None:
    """`GET /length/N`, `GET /chunks/N` give N bytes; a POST is told the hash of its body."""
    while head := connection.head():
        method, target, _ = head.split(b" ", 2)
        if method == b"POST":
            _receive(connection, head)
        else:
            framing, size = target.decode().split("/")[1:]
            _give(connection, framing, int(size))


def _receive(connection: PodConnection, head: bytes) -> None:
    found = re.search(rb"(?i)\ncontent-length: (\d+)", head)
    assert found
    left, made = int(found[1]), hashlib.sha256()
    made.update(connection.buffer)
    left -= len(connection.buffer)
    connection.buffer = b""
    buffer = bytearray(BLOCK)
    while left:
        got = connection.sock.recv_into(buffer)
        assert got
        made.update(memoryview(buffer)[:got])
        left -= got
    text = made.hexdigest().encode()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))


def _give(connection: PodConnection, framing: str, size: int) -> None:
    if framing == "length":
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for block in blocks(size):
            connection.sock.sendall(block)
        return
    connection.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for block in blocks(size):
        connection.sock.sendall(b"%x\r\n%b\r\n" % (len(block), block))
    connection.sock.sendall(b"0\r\n\r\n")


class Scene:
    def __init__(self, site: Site, router: Daemon) -> None:
        self.site, self.router = site, router
        (self.worker,) = router.pids("worker")

    def connect(self, kind: str) -> socket.socket:
        port = self.site.http if kind == "plain" else self.site.https
        sock: socket.socket = socket.create_connection((self.site.host, port), PATIENCE)
        if kind == "edge":
            context = ssl.create_default_context(cafile=self.site.ca)
            sock = context.wrap_socket(sock, server_hostname=HOSTS[kind])
        return sock

    def peak(self) -> int:
        """The most resident memory since `settle`, in bytes."""
        text = Path(f"/proc/{self.worker}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", text)
        assert found
        return int(found[1]) * 1024

    def settle(self) -> int:
        """Forget the peak so far (proc(5), clear_refs)."""
        Path(f"/proc/{self.worker}/clear_refs").write_text("5")
        return self.peak()

    def spliced(self) -> int:
        found = re.search(
            r"(?m)^podway_router_\S*spliced\S* (\S+)$", self.router.get("/metrics")[1]
        )
        assert found
        return int(float(found[1]))


@contextlib.contextmanager
def bulk(folder: Path) -> Iterator[Scene]:
    site = Site(folder)
    pod = Pod(serve)
    site.objects = [
        route("plain", HOSTS["plain"], "bulk"),
        route("edge", HOSTS["edge"], "bulk", tls={"termination": "edge"}),
        service("bulk"),
        *endpoints("bulk", (pod.endpoint.host, pod.endpoint.port)),
    ]
    site.put()
    with site.router() as router:
        yield Scene(site, router)
    pod.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with bulk(tmp_path_factory.mktemp("bulk")) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "framing", "size"),
    [
        ("plain", "length", GIB),
        ("plain", "chunks", GIB // 4),
        ("edge", "length", GIB),
        ("edge", "chunks", GIB // 16),
    ],
)
def test_downloads(scene: Scene, kind: str, framing: str, size: int) -> None:
    before, spliced = scene.settle(), scene.spliced()
    made, got = hashlib.sha256(), 0
    buffer = bytearray(BLOCK)
    with scene.connect(kind) as sock:
        ask = f"GET /{framing}/{size} HTTP/1.1\r\nHost: {HOSTS[kind]}\r\n\r\n"
        sock.sendall(ask.encode())
        response = http.client.HTTPResponse(sock)
        response.begin()
        while count := response.readinto(buffer):
            made.update(memoryview(buffer)[:count])
            got += count
    assert (got, made.hexdigest()) == (size, digest(size))
    assert scene.peak() - before < GROWTH
    if (kind, framing) == ("plain", "length"):
        assert scene.spliced() - spliced > size // 2


@pytest.mark.parametrize(("kind", "size"), [("plain", GIB), ("edge", GIB // 4)])
def test_uploads(scene: Scene, kind: str, size: int) -> None:
    before, spliced = scene.settle(), scene.spliced()
    with scene.connect(kind) as sock:
        ask = f"POST / HTTP/1.1\r\nHost: {HOSTS[kind]}\r\nContent-Length: {size}\r\n\r\n"
        sock.sendall(ask.encode())
        for block in blocks(size):
            sock.sendall(block)
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.read().decode() == digest(size)
    assert scene.peak() - before < GROWTH
    if kind == "plain":
        assert scene.spliced() - spliced > size // 2


def test_transfers_under_way_outlive_changes_and_generations(tmp_path: Path) -> None:
    """Half of each is done when all Routes change and the workers are replaced, then the rest."""
    size = 32 * BLOCK
    with bulk(tmp_path) as scene, contextlib.ExitStack() as stack:
        transfers = [
            (stack.enter_context(scene.connect(kind)), kind, way)
            for kind in HOSTS
            for way in ("length", "chunks", "upload")
        ]
        going = [_begin(sock, kind, way, size) for sock, kind, way in transfers]
        for one in going:
            next(one)
        old = set(scene.router.pids("worker"))
        scene.router.process.send_signal(signal.SIGHUP)
        until("a new generation", lambda: set(scene.router.pids("worker")) - old)
        for number in range(5):
            scene.site.put(route("more", f"n{number}.apps.example.test", "bulk"))
        with pytest.raises(StopIteration):
            next(going[0])
        scene.site.objects = []
        scene.site.put()
        for one in going[1:]:
            with pytest.raises(StopIteration):
                next(one)


def _begin(sock: socket.socket, kind: str, way: str, size: int) -> Iterator[None]:
    """Carry out one transfer; pauses once, in the middle."""
    if way == "upload":
        sock.sendall(
            f"POST / HTTP/1.1\r\nHost: {HOSTS[kind]}\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        for number, block in enumerate(blocks(size)):
            sock.sendall(block)
            if number == 10:
                yield
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.read().decode() == digest(size)
        return
    sock.sendall(f"GET /{way}/{size} HTTP/1.1\r\nHost: {HOSTS[kind]}\r\n\r\n".encode())
    response = http.client.HTTPResponse(sock)
    response.begin()
    made = hashlib.sha256(response.read(10 * BLOCK))
    yield
    made.update(response.read())
    assert made.hexdigest() == digest(size), (kind, way)
