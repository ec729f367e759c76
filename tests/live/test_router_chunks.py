"""Bodies that cost the router more than their sender: chunks of one byte, TLS records of one byte.

Some clients send such bodies as fast as they can; another one beside them is served all the same.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from edge_site import Site
from http_rig import OK, Pod, PodConnection
from ingress_objects import endpoints, route, service
from ingress_rig import PATIENCE, get

pytestmark = pytest.mark.live
HOST = "a.apps.example.test"
HEAD = f"POST / HTTP/1.1\r\nHost: {HOST}\r\n"
PROMPT = 3.0
"""Seconds for an answer on a busy machine. With turns counted in bytes alone, tiny chunks made it 8
and tiny records more than 20; with those that there are, 0.2 and 0.4."""
Body = Callable[[Site, socket.socket], Callable[[], bytes]]
"""Begins a request on a new connection; gives what makes more of its body, as it is on the wire."""


def tiny_chunks(_: Site, sock: socket.socket) -> Callable[[], bytes]:
    sock.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
    return lambda: b"1\r\nx\r\n" * 100_000


def tiny_records(site: Site, sock: socket.socket) -> Callable[[], bytes]:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=site.ca)
    tls = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
    while True:
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
            break
        sock.sendall(outgoing.read())
        incoming.write(sock.recv(65536))
    tls.write(f"{HEAD}Content-Length: 1000000000\r\n\r\n".encode())

    def more() -> bytes:
        for _ in range(50_000):
            tls.write(b"x")
        return outgoing.read()

    return more


def swallow(connection: PodConnection) -> None:
    head = connection.head()
    if b"GET" in head:
        connection.send(OK)
        return
    while connection.sock.recv(1 << 20):
        pass


def send(site: Site, body: Body, over: threading.Event) -> None:
    port = site.https if body is tiny_records else site.http
    with (
        contextlib.suppress(OSError),
        socket.create_connection((site.host, port), PATIENCE) as sock,
    ):
        more = body(site, sock)
        while not over.is_set():
            sock.sendall(more())


@pytest.mark.parametrize("body", [tiny_chunks, tiny_records])
def test_others_are_served(body: Body, tmp_path: Path) -> None:
    site, pod = Site(tmp_path), Pod(swallow)
    tls = {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}
    where = (pod.endpoint.host, pod.endpoint.port)
    site.objects = [route("a", HOST, "web", tls=tls), service("web"), *endpoints("web", where)]
    site.put()
    over = threading.Event()
    with site.router():
        senders = [threading.Thread(target=send, args=(site, body, over)) for _ in range(3)]
        for sender in senders:
            sender.start()
        slowest, answers = 0.0, 0
        until = time.monotonic() + 4
        while time.monotonic() < until:
            began = time.monotonic()
            assert get((site.host, site.http), HOST)[0] == 200
            slowest = max(slowest, time.monotonic() - began)
            answers += 1
        over.set()
        for sender in senders:
            sender.join(PATIENCE)
    assert sum(len(connection.seen) for connection in pod.connections) > 0
    pod.close()
    assert slowest < PROMPT
    assert answers > 5
