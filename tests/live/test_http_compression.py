"""Answers compressed on their way: whole, in time, in bounded memory, and a torso is an abort."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import random
import subprocess
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_rig import PATIENCE, Handler, PodConnection, Rig, read_all, serving, until
from tls_rig import Ca, secured

from podway_proxy.http.compression import fits, suits
from podway_proxy.http.extras import Extras

pytestmark = pytest.mark.live
HTML = suits(["text/*"])
SQUEEZED = Extras(
    compress=lambda request, _a, response, _e, head: fits(request, response) and HTML(head)
)
WORDS = [f"word{number}" for number in range(500)]
ASK = b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
LAST = ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def text(size: int) -> bytes:
    """Something that gzip makes smaller, but not by much."""
    words = random.Random(size).choices(WORDS, k=size // 8)
    return (" ".join(words) + "." * size)[:size].encode()


TEXT = text(3_000_000)


def framed(body: bytes, chunked: bool) -> Iterator[bytes]:
    """An answer, in pieces."""
    if not chunked:
        yield PLAIN + b"Content-Length: %d\r\n\r\n" % len(body)
    else:
        yield PLAIN + b"Transfer-Encoding: chunked\r\n\r\n"
    for at in range(0, len(body), 100_000):
        piece = body[at : at + 100_000]
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
    if chunked:
        yield b"0\r\nX-Sum: 1\r\n\r\n"


def sending(*pieces: bytes) -> Handler:
    def handle(connection: PodConnection) -> None:
        while connection.head():
            for piece in pieces:
                connection.send(piece)

    return handle


def curl(rig: Rig, *arguments: str, scheme: str = "http") -> subprocess.CompletedProcess[bytes]:
    command = ["curl", "-sS", "--compressed", "--max-time", "20", "-k"]
    command += ["--resolve", f"a:{rig.port}:127.0.0.1", *arguments, f"{scheme}://a:{rig.port}/"]
    return subprocess.run(command, capture_output=True, timeout=30)


def content(stream: Any) -> bytes:
    """The body of one answer, unpacked."""
    response = http.client.HTTPResponse(stream)
    response.begin()
    assert response.getheader("Content-Encoding") == "gzip"
    assert response.getheader("Content-Length") is None
    return gzip.decompress(response.read())


@pytest.mark.parametrize("chunked", [False, True])
def test_curl_gets_what_the_pod_sent(chunked: bool, tmp_path: Path) -> None:
    with serving(sending(*framed(TEXT, chunked)), extras=SQUEEZED) as (rig, pods):
        ended = curl(rig, "-D", str(tmp_path / "head"))
        assert ended.returncode == 0, ended.stderr
        assert hashlib.sha256(ended.stdout).digest() == hashlib.sha256(TEXT).digest()
        head = (tmp_path / "head").read_text().lower()
        assert "content-encoding: gzip" in head
        assert "content-length" not in head
        assert curl(rig).stdout == TEXT
        assert len(pods[0].connections) == 1
        until(lambda: len(rig.records) == 2)
        assert [record.step for record in rig.records] == ["", ""]
    assert rig.opened == rig.closed == 2


@pytest.mark.parametrize("pod_ca", [None, Ca()], ids=["edge", "reencrypt"])
@pytest.mark.parametrize("chunked", [False, True])
def test_through_tls(chunked: bool, pod_ca: Ca | None) -> None:
    with secured(sending(*framed(TEXT, chunked)), pod_ca=pod_ca, extras=SQUEEZED) as (rig, _):
        rig.port = rig.address[1]
        ended = curl(rig, scheme="https")
        assert ended.returncode == 0, ended.stderr
        assert hashlib.sha256(ended.stdout).digest() == hashlib.sha256(TEXT).digest()


def test_small_answers_in_a_row_come_in_their_order() -> None:
    def handle(connection: PodConnection) -> None:
        for number in range(20):
            connection.head()
            body = b"answer %d" % number
            connection.send(PLAIN + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    with serving(handle, extras=SQUEEZED) as (rig, pods), rig.connect() as sock:
        sock.sendall(ASK * 20)
        got = [content(_Stream(sock)) for _ in range(20)]
        assert got == [b"answer %d" % number for number in range(20)]
        assert len(pods[0].connections) == 1


class _Stream:
    """A socket of which HTTPResponse reads no more than its own bytes."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def makefile(self, *_: object) -> Any:
        return self._sock.makefile("rb", 0)


def test_who_does_not_ask_gets_it_as_it_is() -> None:
    with serving(sending(*framed(b"plain", False)), extras=SQUEEZED) as (rig, _):
        said = rig.ask(LAST.replace(b"gzip", b"gzip;q=0, *"))
        assert said.endswith(b"\r\n\r\nplain")


def test_an_event_stream_does_not_stall() -> None:
    """The next event is sent when the one before it has arrived, and not a moment sooner."""
    seen = threading.Semaphore(0)

    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for number in range(30):
            event = b"data: %d\n\n" % number
            connection.send(b"%x\r\n%b\r\n" % (len(event), event))
            assert seen.acquire(timeout=PATIENCE)
        connection.send(b"0\r\n\r\n")

    with serving(handle, extras=SQUEEZED) as (rig, _), rig.connect() as sock:
        sock.sendall(ASK)
        response = http.client.HTTPResponse(sock)
        response.begin()
        reader, got = zlib.decompressobj(31), b""
        for number in range(30):
            expected = b"".join(b"data: %d\n\n" % n for n in range(number + 1))
            while len(got) < len(expected):
                got += reader.decompress(response.read1(1000))
            assert got == expected
            seen.release()
        assert reader.decompress(response.read()) == b""
        assert reader.eof


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("kept", [0, 1_000, 1_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_truncated_answer_never_ends_cleanly(chunked: bool, kept: int, reset: bool) -> None:
    whole = b"".join(framed(TEXT, chunked))
    head = whole.index(b"\r\n\r\n") + 4

    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(whole[: head + kept])
        if reset:
            connection.reset()

    with serving(handle, extras=SQUEEZED) as (rig, _):
        said = rig.ask(ASK)
        assert not said.endswith(b"0\r\n\r\n")
        assert curl(rig).returncode in {18, 56}
        until(lambda: len(rig.records) == 2)
        assert {record.step for record in rig.records} <= {"aborted", "reset"}


def test_malformed_chunks_are_cut_or_a_502() -> None:
    for begun in (b"", b"3\r\nabc\r\n"):
        body = PLAIN + b"Transfer-Encoding: chunked\r\n\r\n" + begun
        with serving(sending(body + b"zz\r\n"), extras=SQUEEZED) as (rig, _):
            assert rig.ask(LAST).startswith(b"HTTP/1.1 502 ")


def test_bytes_behind_an_answer_reach_nobody() -> None:
    answer = b"".join(framed(b"mine", False)) + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    with serving(sending(answer), extras=SQUEEZED) as (rig, pods), rig.connect() as sock:
        for _ in range(2):
            sock.sendall(ASK)
            assert content(_Stream(sock)) == b"mine"
        assert len(pods[0].connections) == 2


def test_trailers_come_along() -> None:
    with serving(sending(*framed(b"abc", True)), extras=SQUEEZED) as (rig, _):
        said = rig.ask(LAST)
        assert said.endswith(b"\r\n0\r\nX-Sum: 1\r\n\r\n")


def test_a_reader_that_stops_holds_bounded_memory_and_stops_the_pod() -> None:
    noise = random.Random(1).randbytes(1_000_000)
    sent = [0]

    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.sock.settimeout(None)
        with contextlib.suppress(OSError):
            connection.sock.sendall(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sock.sendall(b"%x\r\n%b\r\n" % (len(noise), noise))
                sent[0] += len(noise)

    with serving(handle, extras=SQUEEZED) as (rig, _), rig.connect() as reader:
        reader.sendall(ASK)
        last = [-1, 0]

        def settled() -> bool:
            last[1] = last[1] + 1 if sent[0] == last[0] else 0
            last[0] = sent[0]
            return sent[0] > 0 and last[1] > 40

        until(settled, "a stop of the pod")
        flows = rig.call(lambda: [c._exchange.download for c in rig.front._clients])
        assert all(len(flow._tail) <= 300_000 for flow in flows)
        reader.close()
        until(lambda: rig.front.active == 0)


def test_a_client_that_leaves_frees_the_pod() -> None:
    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n")
        while not connection.seen.endswith(b"never") and connection.more():
            pass

    with serving(handle, extras=SQUEEZED) as (rig, _):
        with rig.connect() as sock:
            sock.sendall(ASK)
            assert sock.recv(20).startswith(b"HTTP/1.1 200")
        until(lambda: rig.closed == 1)


def test_whole_streams_are_read() -> None:
    with (
        serving(sending(*framed(b"x" * 100, True)), extras=SQUEEZED) as (rig, _),
        rig.connect() as sock,
    ):
        sock.sendall(LAST)
        assert read_all(sock).count(b"\r\n0\r\n") == 1


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("body", [b"", b"short", TEXT], ids=["empty", "short", "long"])
def test_what_went_to_the_client_is_recorded(body: bytes, chunked: bool) -> None:
    answer = b"".join(framed(body, chunked))
    with serving(sending(answer), extras=SQUEEZED) as (rig, _):
        said = rig.ask(LAST)
        until(lambda: rig.records)
        watched = rig.records[0].watched
        assert watched is not None
        assert watched.sent == len(said)
        assert watched.head == answer[: answer.index(b"\r\n\r\n") + 4]
        assert watched.response >= 0
