"""The fast lane for clients that come with their request: they are watched only if they stay."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from http_rig import OK, PATIENCE, Pod, PodConnection, Rig, read_all, serving, until
from lane_scene import ANSWERS, END, REQUESTS, WARM, gives

pytestmark = pytest.mark.live


def played_on_new_connections(
    requests: dict[str, bytes], answer: bytes, lanes: bool, *, half_closed: bool
) -> dict[str, bytes]:
    """Give what a client reads who sends this alone, on a connection of its own."""
    got = {}
    with serving(gives(answer), lanes=lanes) as (rig, _):
        for _ in range(3):
            rig.ask(WARM + END)
        for name, request in requests.items():
            with rig.connect() as sock, contextlib.suppress(ConnectionResetError):
                sock.sendall(request)
                got[name] = sock.recv(1 << 20)
                if half_closed:
                    sock.shutdown(socket.SHUT_WR)
                elif b"Connection: close" not in got[name]:
                    sock.sendall(END)
                got[name] += read_all(sock)
        until(lambda: rig.front.active == 0)
        assert rig.opened == rig.closed
    return got


@pytest.mark.parametrize("half_closed", [False, True])
@pytest.mark.parametrize("answer", ["usual", "keep-alive", "close", "chunked", "not modified"])
def test_requests_that_come_with_their_connection_are_answered_alike(
    answer: str, half_closed: bool
) -> None:
    requests = {name: sent for name, sent in REQUESTS.items() if name != "one and a half"}
    lane, general = (
        played_on_new_connections(requests, ANSWERS[answer], lanes, half_closed=half_closed)
        for lanes in (True, False)
    )
    assert lane == general


@contextlib.contextmanager
def waiting_pod() -> Iterator[tuple[Rig, Pod, threading.Event]]:
    """A rig with an open lane, whose pod answers `/x` when the event is set."""
    go = threading.Event()

    def handle(connection: PodConnection) -> None:
        while head := connection.head():
            if b" /x" in head:
                go.wait(PATIENCE)
            connection.send(OK)

    with serving(handle, lanes=True) as (rig, [pod]):
        for _ in range(3):
            rig.ask(WARM + END)
        assert rig.call(lambda: set(rig.front.lanes.by_host)) == {b"a"}
        try:
            yield rig, pod, go
        finally:
            go.set()


def test_what_is_sent_behind_a_last_request_does_not_cost_its_answer() -> None:
    """Closing with unread bytes would send a reset, which may overtake the answer."""
    with waiting_pod() as (rig, pod, go), rig.connect() as sock:
        sock.sendall(REQUESTS["close"].replace(b" / ", b" /x "))
        until(lambda: b" /x" in pod.seen)
        sock.sendall(b"more")
        go.set()
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(100, socket.MSG_WAITALL).endswith(b"\r\n\r\nok")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_a_client_that_leaves_with_its_first_request_unanswered_frees_its_pod() -> None:
    with waiting_pod() as (rig, pod, go):
        sock = rig.connect()
        sock.sendall(REQUESTS["usual"])
        until(lambda: b" /x" in pod.seen)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        until(lambda: rig.front.active == 0, "an end before the answer")
        assert not go.is_set()
        assert rig.opened == rig.closed
