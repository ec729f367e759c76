from __future__ import annotations

import json
import socket
import struct
import subprocess

import pytest
from http_rig import (
    OK,
    Pod,
    PodConnection,
    Rig,
    answering,
    read_all,
    read_answer,
    serving,
    until,
)

from podway_proxy.counters import Counters
from podway_proxy.limits import DEFAULT

pytestmark = pytest.mark.live

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def naming(name: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name)


def test_two_hosts_on_one_connection_reach_two_pods() -> None:
    one, two = Pod(answering(naming(b"one"))), Pod(answering(naming(b"two")))
    rig = Rig({"one.test": [one.endpoint], "two.test": [two.endpoint]})
    with rig, rig.connect() as sock:
        for host, name in ((b"one.test", b"one"), (b"Two.Test:80", b"two"), (b"one.test.", b"one")):
            sock.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
            assert read_answer(sock)[1] == name
    assert one.seen.count(b"GET ") == 2
    assert two.seen.count(b"GET ") == 1
    assert rig.opened == rig.closed == 3


def test_the_endpoint_connection_is_used_again() -> None:
    with serving(answering()) as (rig, [pod]):
        for _ in range(5):
            assert rig.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).endswith(
                b"ok"
            )
        assert len(pod.connections) == 1


def test_forwarded_fields_stand_behind_the_clients_own() -> None:
    with serving(answering()) as (rig, [pod]):
        with rig.connect() as sock:
            me = sock.getsockname()[0].encode()
            sock.sendall(
                b"GET /p HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nProxy: x\r\n"
                b"X-SSL-Client-CN: root\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n"
                b"TE: trailers\r\nKeep-Alive: timeout=5\r\nAccept: */*\r\n\r\n"
            )
            read_answer(sock)
        assert pod.seen == (
            b"GET /p HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nAccept: */*\r\n"
            b"X-Forwarded-For: %s\r\nX-Forwarded-Host: a\r\nX-Forwarded-Port: %d\r\n"
            b"X-Forwarded-Proto: http\r\nForwarded: for=%s;host=a;proto=http\r\n\r\n"
        ) % (me, rig.port, me)


def test_pipelined_requests_are_answered_in_their_order() -> None:
    def handle(connection: PodConnection) -> None:
        while head := connection.head():
            connection.send(naming(head.split(b" ", 2)[1]))

    with serving(handle) as (rig, _), rig.connect() as sock:
        paths = [b"/%d" % number for number in range(200)]
        sock.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths))
        assert [read_answer(sock)[1] for _ in paths] == paths


def test_pipelined_own_answers_are_bounded_in_memory_and_all_arrive() -> None:
    with serving() as (rig, _), rig.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: nobody\r\n\r\n" * 3000)
        for _ in range(3000):
            assert read_answer(sock)[0].startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize("split", [1, 7])
def test_a_head_in_small_pieces(split: int) -> None:
    data = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"

    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(naming(connection.exactly(5)))

    with serving(handle) as (rig, _), rig.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), split):
            sock.sendall(data[at : at + split])
        assert read_answer(sock)[1] == b"hello"


def test_head_204_and_304_have_no_body_and_the_connection_goes_on() -> None:
    answers = {
        b"HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"PUT": b"HTTP/1.1 204 No Content\r\n\r\n",
        b"GET": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n",
        b"LAST": OK,
    }

    def handle(connection: PodConnection) -> None:
        while head := connection.head():
            connection.send(answers[head.split(b" ")[0]])

    with serving(handle) as (rig, [pod]), rig.connect() as sock:
        for method, answer in answers.items():
            sock.sendall(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
            got = b""
            while len(got) < len(answer):
                got += sock.recv(len(answer) - len(got))
            assert got == answer
        assert len(pod.connections) == 1


def test_expect_continue_is_the_pods_to_answer() -> None:
    def handle(connection: PodConnection) -> None:
        head = connection.head()
        assert b"Expect: 100-continue" in head
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.send(naming(connection.exactly(5)))

    with serving(handle) as (rig, _), rig.connect() as sock:
        sock.sendall(
            b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        )
        assert read_answer(sock)[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert read_answer(sock)[1] == b"hello"


def test_expect_refused_closes_as_the_body_may_still_come() -> None:
    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 413 Too Big\r\nContent-Length: 0\r\n\r\n")
        connection.head()

    with serving(handle) as (rig, _):
        answer = rig.ask(
            b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"Connection: close" in answer


def test_an_early_answer_reaches_a_client_that_is_still_sending() -> None:
    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 413 Too Big\r\nContent-Length: 3\r\n\r\nbig")
        connection.sock.shutdown(socket.SHUT_WR)

    with serving(handle) as (rig, _), rig.connect() as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
        sock.sendall(b"x" * 1_000_000)
        head, body = read_answer(sock)
        assert head.startswith(b"HTTP/1.1 413")
        assert body == b"big"


def test_an_http_1_0_client_gets_chunks_unwrapped() -> None:
    def handle(connection: PodConnection) -> None:
        assert connection.head().startswith(b"GET / HTTP/1.1\r\n")
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        connection.send(b"lo\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n")
        connection.head()

    with serving(handle) as (rig, _):
        answer = rig.ask(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        assert answer == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world"


def test_an_http_1_0_client_may_keep_its_connection() -> None:
    with serving(answering()) as (rig, _), rig.connect() as sock:
        for _ in range(3):
            sock.sendall(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            head, body = read_answer(sock)
            assert b"Connection: keep-alive" in head
            assert body == b"ok"


def test_an_http_1_0_pod_ends_its_answer_by_closing() -> None:
    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.0 200 OK\r\nX: y\r\n\r\n")
        connection.send(b"b" * 100_000)

    with serving(handle) as (rig, [pod]):
        for _ in range(2):
            head, _, body = rig.ask(GET).partition(b"\r\n\r\n")
            assert head == b"HTTP/1.1 200 OK\r\nX: y\r\nConnection: close"
            assert body == b"b" * 100_000
        assert len(pod.connections) == 2


def test_a_websocket_becomes_a_tunnel() -> None:
    def handle(connection: PodConnection) -> None:
        head = connection.head()
        assert b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" in head
        connection.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            b"hi"
        )
        while data := connection.exactly(1):
            connection.send(data.upper())
        connection.send(b"bye")

    with serving(handle) as (rig, [pod]), rig.connect() as sock:
        sock.sendall(
            b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"
        )
        head, _ = read_answer(sock)
        assert head.startswith(b"HTTP/1.1 101")
        assert b"Upgrade: websocket" in head
        sock.sendall(b"hello")
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == b"hiHELLObye"
        until(lambda: rig.front.active == 0)
        until(lambda: rig.closed == rig.opened == 1)
        assert len(pod.connections) == 1


def test_an_upgrade_nobody_asked_for_and_h2c_are_no_tunnels() -> None:
    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")
        connection.head()

    with serving(handle) as (rig, [pod]):
        answer = rig.ask(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 502")
        assert b"h2c" not in pod.seen.lower()
        assert b"http2" not in pod.seen.lower()


def test_pages_take_the_form_that_the_client_accepts() -> None:
    with serving(options={"explain": True}) as (rig, _):
        for accept, kind in ((b"*/*", b"text/plain"), (b"text/html,*/*", b"text/html")):
            answer = rig.ask(
                b"GET / HTTP/1.1\r\nHost: b<i>\r\n\r\n".replace(b"b<i>", b"b")
                + b"GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\nAccept: "
                + accept
                + b"\r\n\r\n"
            )
            assert b"Content-Type: " + kind in answer
            assert b"X-Podway-Reason: no-route: " in answer
            assert b"Cache-Control: private, max-age=0, no-cache, no-store" in answer
        answer = rig.ask(b"GET / HTTP/1.0\r\nHost: b\r\nAccept: application/json\r\n\r\n")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["step"] == "no-route"
        assert rig.ask(b"HEAD / HTTP/1.0\r\nHost: b\r\n\r\n").endswith(b"\r\n\r\n")


def test_a_drain_ends_connections_with_their_next_answer() -> None:
    with serving(answering()) as (rig, _), rig.connect() as busy, rig.connect() as idle:
        for sock in (busy, idle):
            sock.sendall(GET)
            assert b"close" not in read_answer(sock)[0]
        rig.call(rig.front.drain)
        busy.sendall(GET)
        head, body = read_answer(busy)
        assert b"Connection: close" in head
        assert body == b"ok"
        assert busy.recv(1) == b""
        rig.call(lambda: rig.front.drain(immediate=True))
        assert idle.recv(1) == b""
        until(lambda: rig.front.active == 0)


def test_the_proxy_header_is_required_and_believed() -> None:
    v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(
        ">H4s4sHH", 12, b"\x09\x08\x07\x06", b"\x01\x02\x03\x04", 5, 8080
    )
    with serving(answering(), options={"takes_proxy": lambda host: True}) as (rig, [pod]):
        assert rig.ask(
            b"PROXY TCP4 9.8.7.6 1.2.3.4 5 8080\r\n" + GET.replace(b"1.1", b"1.0")
        ).endswith(b"ok")
        assert rig.ask(v2 + GET.replace(b"1.1", b"1.0")).endswith(b"ok")
        assert pod.seen.count(b"X-Forwarded-For: 9.8.7.6\r\n") == 2
        assert pod.seen.count(b"X-Forwarded-Port: 8080\r\n") == 2
        assert rig.ask(GET) == b""
        assert rig.records[0].client == ("9.8.7.6", 5)
    with serving(answering(), options={"takes_proxy": lambda host: False}) as (rig, [pod]):
        assert rig.ask(v2 + GET) == b""
        assert pod.seen == b""
    with serving(answering()) as (rig, [pod]):
        assert rig.ask(b"PROXY TCP4 9.8.7.6 1.2.3.4 5 80\r\n" + GET).startswith(b"HTTP/1.1 400")
        assert pod.seen == b""


def test_curl_gets_its_page_and_posts_its_form() -> None:
    def handle(connection: PodConnection) -> None:
        while head := connection.head():
            length = next(
                (
                    int(line[15:])
                    for line in head.split(b"\r\n")
                    if line.startswith(b"Content-Length:")
                ),
                0,
            )
            connection.send(naming(connection.exactly(length)))

    with serving(handle) as (rig, _):
        url = f"http://a:{rig.port}/x"
        command = ["curl", "-sS", "--resolve", f"a:{rig.port}:127.0.0.1", "-d", "k=v", url, url]
        out = subprocess.run(command, capture_output=True, check=True, timeout=20)
        assert out.stdout == b"k=vk=v"


def test_kept_connections_that_the_pod_closes_and_old_ones_leave_the_pool() -> None:
    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(OK)

    with serving(handle) as (rig, _):
        assert rig.ask(GET.replace(b"1.1", b"1.0")).endswith(b"ok")
        until(lambda: len(rig.front.pool) == 0)
    limits = DEFAULT._replace(pool_idle_timeout=0.0)
    with serving(answering(), limits=limits) as (rig, _):
        assert rig.ask(GET.replace(b"1.1", b"1.0")).endswith(b"ok")
        assert len(rig.front.pool) == 1
        until(lambda: len(rig.front.pool) == 0)


@pytest.mark.parametrize("lanes", [False, True])
def test_heads_longer_than_one_read_are_served_where_they_are_allowed(lanes: bool) -> None:
    """headerBufferBytes may be more than the bytes that are taken at once."""
    limits = DEFAULT._replace(head_bytes=57_344, head_timeout=3.0)
    with serving(answering(), limits=limits, lanes=lanes) as (rig, [pod]), rig.connect() as sock:
        for size in (10, 10, 32_768, 40_000, 57_344, 10):
            request = GET[:-2] + b"X: %s\r\n\r\n" % (b"x" * (size - len(GET) - 5))
            sock.sendall(request + GET)  # what is sent ahead is served behind it
            assert [read_answer(sock)[1] for _ in range(2)] == [b"ok", b"ok"], size
        assert pod.seen.count(b"GET ") == 12
        sock.sendall(GET[:-2] + b"X: %s\r\n\r\n" % (b"x" * 57_344))
        assert read_answer(sock)[0].startswith(b"HTTP/1.1 431 ")


def test_requests_are_counted_by_outcome() -> None:
    counters = Counters()
    with serving(answering(), options={"counters": counters}) as (rig, _):
        rig.ask(GET.replace(b"1.1", b"1.0"))
        rig.ask(GET.replace(b"1.1", b"1.0").replace(b": a", b": b"))
        rig.ask(b"garbage\r\n\r\n")
        until(lambda: rig.front.active == 0)
    totals = counters.totals()
    assert totals["http_requests_total:code=2xx"] == 1
    assert totals["http_requests_total:code=4xx"] == 1
    assert totals["http_requests_total:code=5xx"] == 1
    assert totals["http_refused_total:step=no-route"] == 1
    assert totals["http_refused_total:step=bad-request"] == 1
    assert totals["http_connections_total"] == 3
    assert totals["http_connections"] == 0
