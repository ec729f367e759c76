"""What a record says of each way in which a request can end, in HAProxy's two letters."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any

import pytest
from http_rig import PodConnection, Rig, answering, serving, until

from podway_proxy.http.access import AccessRecord, Watched
from podway_proxy.limits import DEFAULT

pytestmark = pytest.mark.live
GET = b"GET /a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
QUICK = DEFAULT._replace(head_timeout=0.5, client_timeout=0.5)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def leaves(pod: PodConnection) -> None:
    pod.head()


def hangs(pod: PodConnection) -> None:
    pod.head()
    pod.more()


def short(pod: PodConnection) -> None:
    pod.head()
    pod.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")


def stops(pod: PodConnection) -> None:
    short(pod)
    pod.more()


def bad(pod: PodConnection) -> None:
    pod.head()
    pod.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello")


def the_record(rig: Rig) -> tuple[AccessRecord, Watched]:
    until(lambda: rig.records, "a record")
    (record,) = rig.records
    assert record.watched is not None
    return record, record.watched


@pytest.mark.parametrize(
    ("handler", "state", "status"),
    [
        (answering(), "--", 200),
        (leaves, "SH", 502),
        (hangs, "sH", 504),
        (short, "SD", 200),
        (stops, "sD", 200),
        (bad, "PH", 502),
    ],
)
def test_how_pods_end_requests(handler: Any, state: str, status: int) -> None:
    with serving(handler, limits=QUICK, server_timeout=0.5) as (rig, (pod,)):
        answer = rig.ask(GET)
        record, watched = the_record(rig)
    assert (record.state, record.status) == (state, status)
    assert record.endpoint == pod.endpoint
    assert watched.sent == len(answer)
    assert watched.received == len(GET)
    assert watched.connect >= 0
    assert (watched.response >= 0) == (status == 200)


def test_what_is_counted_of_a_kept_connection() -> None:
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    ok = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    def pod(connection: PodConnection) -> None:
        while connection.head():
            connection.exactly(5)
            connection.send(ok)

    with serving(pod) as (rig, _), rig.connect() as sock:
        for number in (1, 2):
            sock.sendall(post[:10])
            time.sleep(0.05)
            sock.sendall(post[10:])
            sock.sendall(b"12345")
            until(lambda number=number: len(rig.records) == number, "the record")
        first, second = (record.watched for record in rig.records)
    assert first is not None
    assert second is not None
    for watched in (first, second):
        assert watched.received == len(post) + 5
        assert watched.sent == len(ok)
        assert watched.since <= watched.first < watched.began <= watched.ended
        assert watched.source is not None
        assert watched.head == ok[: ok.index(b"\r\n\r\n") + 4]
    assert second.connect == 0.0
    assert second.since >= first.ended


def test_clients_that_leave() -> None:
    with serving(hangs, hangs) as (rig, (pod, _)):
        sock = rig.connect()
        sock.sendall(GET)
        until(lambda: pod.seen, "the request is with the pod")
        reset(sock)
        record, _ = the_record(rig)
        assert (record.state, record.status, record.step) == ("CH", 0, "aborted")
        rig.records.clear()
        with rig.connect() as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello")
            until(lambda: b"hello" in pod.seen, "the request is with the pod")
        record, watched = the_record(rig)
        assert record.state == "CD"
        assert watched.received == 53


def test_a_client_that_does_not_go_on_with_its_body() -> None:
    with serving(hangs, limits=QUICK) as (rig, _):
        rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello")
        record, _ = the_record(rig)
    assert (record.state, record.status) == ("cD", 408)


def test_requests_that_are_none() -> None:
    with serving(answering(), limits=QUICK) as (rig, _):
        for said, state, status in (
            (b"nonsense\r\n\r\n", "PR", 400),
            (b"GET / HT", "cR", 408),
        ):
            page = rig.ask(said)
            record, watched = the_record(rig)
            assert (record.state, record.status) == (state, status), said
            assert record.request is None
            assert (watched.received, watched.sent) == (len(said), len(page))
            rig.records.clear()
        with rig.connect() as sock:
            sock.sendall(b"GET / HT")
            time.sleep(0.1)
        record, _ = the_record(rig)
        assert (record.state, record.status) == ("CR", 400)


@pytest.mark.parametrize("policy", ["respond", "quiet", "ignore"])
def test_connections_on_which_nothing_comes(policy: str) -> None:
    with serving(answering(), limits=QUICK) as (rig, _):
        rig.front.answer_empty = policy != "ignore"
        rig.front.ignore_empty = policy == "ignore"
        rig.front.log_empty = policy == "respond"
        late = rig.ask(b"")
        with rig.connect():
            pass
        assert late.startswith(b"HTTP/1.1 408 ") == (policy != "ignore")
        rig.ask(GET)
        until(lambda: [one for one in rig.records if one.status == 200], "the last record")
        states = sorted(record.state for record in rig.records)
    assert states == (["--", "CR", "cR"] if policy == "respond" else ["--"])


def test_an_idle_kept_connection_ends_without_a_record() -> None:
    with serving(answering(), limits=QUICK._replace(keepalive_timeout=0.5)) as (rig, _):
        rig.front.answer_empty = True
        answer = rig.ask(GET.replace(b"Connection: close\r\n", b""))
        assert answer.count(b"HTTP/1.1") == 1
        assert len(rig.records) == 1


def test_a_tunnel_is_recorded_when_it_ends() -> None:
    def pod(connection: PodConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n")
        connection.send(b"Connection: Upgrade\r\n\r\n")
        connection.send(connection.exactly(5))

    with serving(pod) as (rig, _), rig.connect() as sock:
        head = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n"
        sock.sendall(head)
        assert b" 101 " in sock.recv(4096)
        assert not rig.records
        sock.sendall(b"hello")
        with contextlib.suppress(OSError):
            while sock.recv(4096):
                pass
        sock.shutdown(socket.SHUT_WR)
        record, watched = the_record(rig)
    assert (record.status, record.state) == (101, "--")
    assert watched.received == len(head) + 5
    assert watched.sent > 5
