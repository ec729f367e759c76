"""What comes before and behind: 100 Continue, early hints, trailers both ways; plain and in TLS."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from h11_client import Client
from http_rig import OK, Handler, Pod, PodConnection, Rig, serving
from tls_rig import Ca, secured

pytestmark = pytest.mark.live
HINTS = [b"</a.css>; rel=preload; as=style", b"</b.js>; rel=preload; as=script"]
EARLY = b"".join(b"HTTP/1.1 103 Early Hints\r\nLink: %b\r\n\r\n" % hint for hint in HINTS)
WIRES = ["plain", "edge", "reencrypt"]


@contextmanager
def front(wire: str, *handlers: Handler) -> Iterator[tuple[Rig, Client, list[Pod]]]:
    with contextlib.ExitStack() as stack:
        if wire == "plain":
            rig, pods = stack.enter_context(serving(*handlers))
            sock = stack.enter_context(rig.connect())
        else:
            ca = Ca() if wire == "reencrypt" else None
            tls, found = stack.enter_context(secured(*handlers, pod_ca=ca))
            rig, pods = tls, list(found)
            sock = stack.enter_context(tls.open())
        yield rig, Client(sock, "a"), pods


def body_of(connection: PodConnection, head: bytes) -> bytes:
    """A body with its chunks and trailers, as it came."""
    if b"chunked" not in head.lower():
        return connection.exactly(int(head.lower().split(b"content-length: ")[1].split(b"\r")[0]))
    while not connection.buffer.endswith(b"\r\n\r\n"):
        assert connection.more()
    body, connection.buffer = connection.buffer, b""
    return body


@pytest.mark.parametrize("wire", WIRES)
def test_several_early_hints_arrive_before_the_answer(wire: str) -> None:
    def handle(connection: PodConnection) -> None:
        while connection.head():
            connection.send(b"HTTP/1.1 102 Processing\r\n\r\n" + EARLY)
            connection.send(OK)

    with front(wire, handle) as (_, client, pods):
        for _ in range(3):
            answer = client.ask("GET", "/")
            assert [status for status, _ in answer.interim] == [102, 103, 103]
            assert [dict(fields)[b"link"] for _, fields in answer.interim[1:]] == HINTS
            assert (answer.status, answer.body) == (200, b"ok")
        assert len(pods[0].connections) == 1


def test_early_hints_are_not_for_http_1_0() -> None:
    with serving(lambda connection: connection.head() and connection.send(EARLY + OK)) as (rig, _):
        said = rig.ask(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"103" not in said


@pytest.mark.parametrize("wire", WIRES)
def test_the_body_waits_for_100_continue(wire: str) -> None:
    asked: list[bytes] = []

    def handle(connection: PodConnection) -> None:
        while head := connection.head():
            asked.append(connection.buffer)
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY)
            assert body_of(connection, head).startswith(b"6\r\nawaits\r\n")
            connection.send(OK)

    with front(wire, handle) as (_, client, pods):
        for _ in range(3):
            answer = client.ask("POST", "/", [b"awaits"], Expect="100-continue")
            assert [status for status, _ in answer.interim] == [100, 103, 103]
            assert answer.body == b"ok"
        assert asked == [b"", b"", b""], "nothing of the body came before it was asked for"
        assert len(pods[0].connections) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_a_body_that_the_pod_does_not_want_is_not_sent(wire: str) -> None:
    refusal = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"

    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(refusal)
        while connection.more():
            pass

    with front(wire, handle) as (_, client, pods):
        answer = client.ask("POST", "/", [b"never sent"], Expect="100-continue")
        assert (answer.status, answer.body, answer.interim) == (417, b"no", [])
        assert answer.fields[b"connection"] == b"close", "the body might still come"
        assert b"never sent" not in pods[0].seen


@pytest.mark.parametrize("wire", WIRES)
def test_trailers_go_both_ways(wire: str) -> None:
    def handle(connection: PodConnection) -> None:
        while head := connection.head():
            body = body_of(connection, head)
            assert body.endswith(b"0\r\ngrpc-status: 0\r\nx-sum: abc\r\n\r\n"), body
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n")
            connection.send(
                b"Trailer: X-Length\r\n\r\n" + body.replace(b"x-sum: abc", b"x-length: 9")
            )

    with front(wire, handle) as (_, client, pods):
        for _ in range(3):
            trailers = [(b"grpc-status", b"0"), (b"x-sum", b"abc")]
            answer = client.ask("POST", "/", [b"one", b"two", b"six"], trailers)
            assert answer.body == b"onetwosix"
            assert answer.trailers == [(b"grpc-status", b"0"), (b"x-length", b"9")]
            assert answer.fields[b"trailer"] == b"X-Length"
        assert len(pods[0].connections) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_an_interim_answer_alone_is_no_answer(wire: str) -> None:
    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(EARLY)

    with front(wire, handle, handle) as (_, client, pods):
        answer = client.ask("GET", "/")
        assert len(answer.interim) == 2
        assert answer.status == 502
        assert len(pods[0].connections) + len(pods[1].connections) == 1, "not asked again"


@pytest.mark.parametrize("leaves", [False, True])
@pytest.mark.parametrize("wire", WIRES)
def test_an_early_answer_is_read_by_who_is_still_sending(
    wire: str, leaves: bool, tmp_path: Path
) -> None:
    """`leaves`: the pod closes at once, with most of the body unread; its kernel resets."""

    def handle(connection: PodConnection) -> None:
        # Else its kernel may hold the answer back (Nagle), and its reset throw it away.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.head()
        connection.send(b"HTTP/1.1 413 Too Big\r\nContent-Length: 3\r\n\r\nbig")
        while not leaves and connection.more():
            connection.buffer = b""

    sent = tmp_path / "sent"
    sent.write_bytes(bytes(30_000_000))
    with front(wire, handle) as (rig, _, _):
        url = f"http{'' if wire == 'plain' else 's'}://a:{rig.address[1]}/"
        command = ["curl", "-sS", "-k", "--max-time", "20", "-H", "Expect:", "-T", str(sent)]
        command += ["--resolve", f"a:{rig.address[1]}:127.0.0.1", "-w", "%{http_code}", url]
        for _ in range(6):
            ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert (ended.returncode, ended.stdout) == (0, "big413"), ended.stderr
