from __future__ import annotations

import hashlib
import http.client
import os
import socket
import ssl
from typing import Any

import pytest
from http_rig import OK, PodConnection, answering, read_all, read_answer, until
from tls_rig import Ca, TlsPod, secured

from podway_proxy.limits import DEFAULT

pytestmark = pytest.mark.live

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BIG = 6_000_000
POD_CA = Ca("pods' CA")


@pytest.fixture(params=[None, POD_CA], ids=["edge", "reencrypt"])
def pod_ca(request: Any) -> Ca | None:
    ca: Ca | None = request.param
    return ca


def test_many_requests_on_one_connection(pod_ca: Ca | None) -> None:
    with secured(answering(), pod_ca=pod_ca) as (rig, pods), rig.open() as sock:
        for _ in range(20):
            sock.sendall(ASK)
            assert read_answer(sock)[1] == b"ok"
        assert len(pods[0].connections) == 1
        assert rig.arrivals[0].tls is not None
        assert rig.arrivals[0].tls.server_name == "a"
        if isinstance(pods[0], TlsPod):
            assert pods[0].names == ["a"]


def digesting(connection: PodConnection) -> None:
    head = connection.head()
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    digest = hashlib.sha256()
    left = length
    while left:
        data = connection.exactly(min(left, 65536))
        if not data:
            return
        digest.update(data)
        left -= len(data)
    text = digest.hexdigest().encode()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))


def test_a_large_upload(pod_ca: Ca | None) -> None:
    body = os.urandom(BIG)
    with secured(digesting, pod_ca=pod_ca) as (rig, _), rig.open() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % BIG)
        sock.sendall(body)
        assert read_answer(sock)[1].decode() == hashlib.sha256(body).hexdigest()


def chunked(body: bytes) -> bytes:
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_a_large_download(pod_ca: Ca | None, framing: str) -> None:
    body = os.urandom(BIG)
    head, wire = {
        "length": (b"Content-Length: %d" % BIG, body),
        "chunks": (b"Transfer-Encoding: chunked", chunked(body)),
        "close": (b"Connection: close", body),
    }[framing]

    def pod(connection: PodConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + wire)
        connection.sock.shutdown(socket.SHUT_WR) if pod_ca is None else connection.sock.unwrap()  # type: ignore[attr-defined]

    with secured(pod, pod_ca=pod_ca) as (rig, _), rig.open() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        got = read_all(sock).partition(b"\r\n\r\n")[2]
        assert hashlib.sha256(got).digest() == hashlib.sha256(wire).digest()


def test_a_truncated_answer_is_an_abort(pod_ca: Ca | None) -> None:
    """By FIN without close_notify, or short of Content-Length: never a clean end."""

    def pod(connection: PodConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 100_000)
        if pod_ca is not None:
            socket.socket.shutdown(connection.sock, socket.SHUT_WR)  # no close_notify
        else:
            connection.reset()

    with secured(pod, pod_ca=pod_ca) as (rig, _), rig.open() as sock:
        sock.suppress_ragged_eofs = False
        sock.sendall(ASK)
        with pytest.raises(OSError, match=r"EOF|reset"):
            drain(sock)


def test_a_truncated_upload_is_no_whole_one_to_the_pod(pod_ca: Ca | None) -> None:
    ended: list[str] = []

    def pod(connection: PodConnection) -> None:
        connection.head()
        try:
            while connection.sock.recv(65536):
                pass
            ended.append("clean")
        except OSError:
            ended.append("aborted")

    with secured(pod, pod_ca=pod_ca) as (rig, _):
        sock = rig.open()
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        sock.sendall(b"5\r\nhello\r\n")
        until(lambda: rig.opened == 1)
        socket.socket.shutdown(sock, socket.SHUT_WR)  # a FIN without close_notify
        until(lambda: bool(ended))
        assert ended == ["aborted"]
        sock.close()


def drain(sock: socket.socket) -> None:
    while sock.recv(65536):
        pass


def test_an_upgrade_becomes_a_tunnel(pod_ca: Ca | None) -> None:
    def pod(connection: PodConnection) -> None:
        connection.head()
        connection.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
        )
        while data := (connection.exactly(1) + connection.buffer):
            connection.buffer = b""
            connection.send(data)

    body = os.urandom(3_000_000)
    with secured(pod, pod_ca=pod_ca) as (rig, _), rig.open() as sock:
        upgrade = b"Connection: upgrade\r\nUpgrade: echo\r\n\r\n"
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + upgrade)
        assert read_answer(sock)[0].startswith(b"HTTP/1.1 101")
        got = b""
        # In turns: OpenSSL does not let one thread read and another write on one connection.
        for start in range(0, len(body), 200_000):
            sock.sendall(body[start : start + 200_000])
            while len(got) < min(start + 200_000, len(body)):
                data = sock.recv(65536)
                assert data
                got += data
        assert hashlib.sha256(got).digest() == hashlib.sha256(body).digest()


def test_the_last_answer_ends_with_close_notify(pod_ca: Ca | None) -> None:
    with secured(answering(), pod_ca=pod_ca) as (rig, _), rig.open() as sock:
        sock.suppress_ragged_eofs = False
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert read_answer(sock)[1] == b"ok"
        assert sock.recv(1) == b""


def test_close_notify_without_fin_ends_the_connection() -> None:
    with secured(answering()) as (rig, _):
        sock = rig.open()
        sock.sendall(ASK)
        read_answer(sock)
        plain = sock.unwrap()
        assert plain.recv(1) == b""
        plain.close()
        until(lambda: rig.front.active == 0)


def test_a_pod_with_a_certificate_of_another_ca_is_not_asked() -> None:
    options = {"pod_ca": POD_CA, "trust": Ca("another").pem}
    with secured(answering(), **options) as (rig, pods), rig.open() as sock:
        sock.sendall(ASK)
        head, _ = read_answer(sock)
        assert head.startswith(b"HTTP/1.1 503")
        assert pods[0].seen == b""
        assert rig.records[0].step == "connect"


def test_a_kept_connection_of_a_pod_that_has_left_is_not_used() -> None:
    def once(connection: PodConnection) -> None:
        connection.head()
        connection.send(OK)

    with secured(once, pod_ca=POD_CA) as (rig, _), rig.open() as sock:
        for _ in range(3):
            sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            assert read_answer(sock)[0].startswith(b"HTTP/1.1 200")


def test_a_slow_handshake_is_closed() -> None:
    limits = DEFAULT._replace(handshake_timeout=0.3)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = Ca().client().wrap_bio(incoming, outgoing, server_hostname="a")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with secured(answering(), limits=limits) as (rig, _), rig.connect() as sock:
        sock.sendall(outgoing.read())
        assert read_all(sock).startswith(b"\x16")
        until(lambda: rig.failures == ["the handshake was not over in time"])


def test_a_hello_byte_by_byte() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with secured(answering()) as (rig, _), rig.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = rig.ca.client().wrap_bio(incoming, outgoing, server_hostname="a")
        done = False
        while not done:
            try:
                client.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    sock.send(bytes([byte]))
                incoming.write(sock.recv(65536))
        client.write(ASK)
        for byte in outgoing.read():
            sock.send(bytes([byte]))
        got = b""
        while not got.endswith(b"ok"):
            try:
                got += client.read(65536)
            except ssl.SSLWantReadError:
                incoming.write(sock.recv(65536))


def test_a_request_of_which_a_part_went_out_is_not_sent_again() -> None:
    """A POST of several records: the pod has seen the first when it resets; the next one fails."""
    seen: list[bytes] = []

    def pod(connection: PodConnection) -> None:
        seen.append(connection.head())
        connection.reset()

    body = b"x" * 30_000
    ask = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with secured(pod, pod_ca=Ca()) as (rig, pods):
        for number in range(1, 31):
            with rig.open() as sock:
                sock.sendall(ask)
                assert sock.recv(12) == b"HTTP/1.1 502"
            assert len(pods[0].connections) == number
        assert len(seen) == 30


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_request_in_records_of_one_byte(pod_ca: Ca | None, framing: str) -> None:
    """More of them than are read at once; the connection goes on."""
    content = os.urandom(3_000)
    if framing == "length":
        head, body = b"Content-Length: 3000", content
    else:
        head, body = b"Transfer-Encoding: chunked", b"bb8\r\n" + content + b"\r\n0\r\n\r\n"

    def pod(connection: PodConnection) -> None:
        while connection.head():
            while content not in connection.buffer and connection.more():
                pass
            connection.exactly(len(body))
            connection.send(OK)

    with secured(pod, pod_ca=pod_ca) as (rig, pods), rig.open() as sock:
        for _ in range(2):
            for byte in b"POST / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n" + body:
                sock.sendall(bytes([byte]))
            assert read_answer(sock)[1] == b"ok"
        assert len(pods[0].connections) == 1


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_an_answer_in_records_of_one_byte(framing: str) -> None:
    content = os.urandom(3_000)
    heads = {"length": b"Content-Length: 3000", "chunked": b"Transfer-Encoding: chunked"}
    body = content if framing != "chunked" else b"bb8\r\n" + content + b"\r\n0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\n" + heads.get(framing, b"Connection: close") + b"\r\n\r\n"

    def pod(connection: PodConnection) -> None:
        connection.head()
        for byte in head + body:
            connection.send(bytes([byte]))
        if framing == "close":
            assert isinstance(connection.sock, ssl.SSLSocket)
            connection.sock.unwrap()
        else:
            connection.more()

    with secured(pod, pod_ca=Ca()) as (rig, _), rig.open() as sock:
        sock.sendall(ASK)
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.read() == content
