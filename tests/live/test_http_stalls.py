"""Who stops in the middle is not waited for: pods, readers, senders; on every wire and framing."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from http_rig import PATIENCE, Handler, Pod, PodConnection, Rig, pieces, read_answer, serving, until
from tls_rig import Ca, secured

from podway_proxy.http.compression import fits, suits
from podway_proxy.http.extras import Extras
from podway_proxy.limits import DEFAULT

pytestmark = pytest.mark.live
LIMITS = DEFAULT._replace(client_timeout=0.6)
TEXT = suits(["text/plain"])
PACKING = Extras(
    compress=lambda request, _a, response, _e, head: fits(request, response) and TEXT(head)
)
GET = b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
NOISE = random.Random(3).randbytes(100_000)
KINDS = {"as it is": b"image/png", "packed": b"text/plain"}
FRAMINGS = {
    "length": (b"Content-Length: 100000000\r\n\r\n", NOISE),
    "chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n" % (len(NOISE), NOISE)),
}


@contextmanager
def front(wire: str, handler: Handler) -> Iterator[tuple[Rig, socket.socket, Pod]]:
    options = {"limits": LIMITS, "extras": PACKING, "server_timeout": 0.6}
    with contextlib.ExitStack() as stack:
        if wire == "plain":
            rig, pods = stack.enter_context(serving(handler, **options))
            sock = stack.enter_context(rig.connect())
        else:
            ca = Ca() if wire == "reencrypt" else None
            tls, found = stack.enter_context(secured(handler, pod_ca=ca, **options))
            rig, pods, sock = tls, list(found), stack.enter_context(tls.open())
        yield rig, sock, pods[0]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wire", ["plain", "edge", "reencrypt"])
def test_a_pod_that_stops_in_its_answer(wire: str, kind: str, framing: str) -> None:
    fields, data = FRAMINGS[framing]

    def handle(connection: PodConnection) -> None:
        connection.head()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: " + KINDS[kind] + b"\r\n"
        connection.send(head + fields + data)
        connection.more()

    with front(wire, handle) as (rig, sock, _):
        sock.sendall(GET)
        got = b"".join(pieces(sock))
        assert got.startswith(b"HTTP/1.1 200 OK\r\n")
        assert (b"Content-Encoding: gzip" in got) is (kind == "packed")
        assert not got.endswith(b"0\r\n\r\n")
        until(lambda: [record.step for record in rig.records] == ["aborted"])
        assert rig.opened == rig.closed == 1


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wire", ["plain", "edge", "reencrypt"])
def test_a_reader_that_stops(wire: str, kind: str, framing: str) -> None:
    fields, data = FRAMINGS[framing]
    over = threading.Event()

    def handle(connection: PodConnection) -> None:
        connection.head()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: " + KINDS[kind] + b"\r\n"
        with contextlib.suppress(OSError):
            connection.sock.sendall(head + fields)
            for _ in range(1000):
                connection.sock.sendall(data)
        over.set()

    with front(wire, handle) as (rig, sock, _):
        sock.sendall(GET)
        assert over.wait(PATIENCE), "the pod is freed"
        until(lambda: rig.front.active == 0)
        assert rig.opened == rig.closed == 1


@pytest.mark.parametrize("framing", ["Content-Length: 100000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("wire", ["plain", "edge", "reencrypt"])
def test_a_sender_that_stops(wire: str, framing: str) -> None:
    whole = threading.Event()

    def handle(connection: PodConnection) -> None:
        connection.head()
        while connection.more():
            if connection.buffer.endswith(b"0\r\n\r\n") or len(connection.buffer) >= 100_000:
                whole.set()

    with front(wire, handle) as (rig, sock, pod):
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing.encode() + b"\r\n\r\n")
        sock.sendall(b"1000\r\n" + b"x" * 3_000)
        head, _ = read_answer(sock)
        assert head.startswith(b"HTTP/1.1 408")
        assert b"Connection: close" in head
        until(lambda: rig.front.active == 0)
        assert pod.seen.endswith(b"xxx")
        assert not whole.is_set()
        assert rig.opened == rig.closed == 1
