"""The fast lane beside the general way: the same bytes at client and pod, the same counts.

Every kind of request meets every kind of answer, behind a usual one that opens the lane.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from http_rig import (
    OK,
    PATIENCE,
    PodConnection,
    Rig,
    answering,
    read_all,
    read_answer,
    serving,
    until,
)
from lane_scene import (
    ANSWERS,
    END,
    REQUESTS,
    WARM,
    ask,
    gives,
    played,
    unordered,
)
from tls_rig import secured

from podway_proxy.balance.balancer import InOrder
from podway_proxy.http import shapes
from podway_proxy.http.exchange import Exchange
from podway_proxy.http.extras import Extras
from podway_proxy.http.quick import QuickClient
from podway_proxy.limits import DEFAULT
from podway_proxy.values import Endpoint
from podway_router.entry import RouteEntry, ShardEntry
from podway_router.extras import extras_of
from podway_router.sticky import Others, value_of
from podway_router.ways import Way

pytestmark = pytest.mark.live

QUICK = DEFAULT._replace(keepalive_timeout=0.5, server_timeout=0.5)


@pytest.fixture(autouse=True)
def shapes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the second request on the lane make a shape, which the third one has."""
    monkeypatch.setattr(shapes, "EACH", 1)
    monkeypatch.setattr(shapes, "OFTEN", 1)


def sticky(pods: list[Endpoint]) -> Extras:
    """What a Route with a cookie asks for."""
    entry = RouteEntry("a", "/", "", "", [(*pod, 1) for pod in pods], "random", cookie="stk")
    way = Way("route shop/a", entry, frozenset(), InOrder(pods))
    others = Others(lambda _: iter(pods), InOrder(pods))
    extras = extras_of(way, ShardEntry({}), "http", others)
    assert extras is not None
    assert extras.usual is not None
    return extras


COOKIES = {
    "none": b"",
    "other": b"Cookie: a=b\r\n",
    "unknown": b"Cookie: stk=x\r\n",
    "unknown among others": b"cookie: a=b; stk=x; c=d\r\n",
    "twice": b"Cookie: stk=x; stk=y\r\nCookie: stk=z\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_all_requests_meet_an_answer_alike(answer: str) -> None:
    for request in REQUESTS:
        lane, general = (
            played(REQUESTS[request], gives(ANSWERS[answer]), lanes) for lanes in (True, False)
        )
        assert lane == general, request


SETS = b"HTTP/1.1 200 OK\r\nSet-Cookie: stk=own\r\nETag: x\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize("cookie", COOKIES)
def test_cookies_are_set_and_cut_alike(cookie: str) -> None:
    request = REQUESTS["fields"].replace(b"Cookie: a=b; c=d\r\n", COOKIES[cookie])
    for what, answer in {**ANSWERS, "sets our cookie": SETS}.items():
        for ends in (b"", b"Connection: close\r\n"):
            asked = request.replace(b"Accept:", ends + b"Accept:")
            lane, general = (played(asked, gives(answer), lanes, sticky) for lanes in (True, False))
            assert unordered(lane) == unordered(general), (what, ends)
            assert b"Set-Cookie: stk=@pod@; path=/; HttpOnly\r\n" in lane.client
            assert b"stk=" not in lane.pod
            assert b"stk=own" not in lane.client


def test_a_client_with_a_cookie_stays_on_the_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    left = counted(monkeypatch)
    pods = [answering(OK.replace(b"ok", name)) for name in (b"p0", b"p1")]
    with serving(*pods, lanes=True, dress=sticky) as (rig, [_, pod]), rig.connect() as sock:
        value = value_of("shop", pod.endpoint)
        for number in range(10):
            sock.sendall(ask(b"Cookie: a=b; stk=" + value + b"; c=d\r\n"))
            head, body = read_answer(sock)
            assert (b"Set-Cookie" in head, body) == (False, b"p1"), number
        assert pod.seen.count(b"\r\nCookie: a=b; c=d\r\n") == 10
        assert len(left) <= 1, "the first one opened the connection"


def test_an_address_may_have_another_name_for_another_route(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its kept connection serves both; what leaves the lane there goes on with its own."""
    asked: list[str] = []
    others = InOrder.others

    def recorded(self: InOrder, first: Endpoint, client: str) -> Iterator[Endpoint]:
        asked.append(first.name)
        return others(self, first, client)

    monkeypatch.setattr(InOrder, "others", recorded)
    handler = gives(ANSWERS["no content"])
    with serving(handler, lanes=True) as (rig, [pod]), rig.connect() as sock:
        rig.routes["b"] = [pod.endpoint._replace(name="other")]
        for host in (b"a", b"b") * 3:
            sock.sendall(WARM.replace(b": a", b": " + host))
            assert read_answer(sock)[1] == b"ok"
            sock.sendall(ask(host=b"Host: " + host))
            assert read_answer(sock)[0].startswith(b"HTTP/1.1 204 ")
        assert asked[-4:] == [pod.endpoint.name, "other"] * 2


@pytest.mark.parametrize("request_", ["usual", "close", "keep-alive", "two at once", "delete"])
@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_answers_in_pieces_and_pods_that_leave_are_alike(request_: str, pieces: int) -> None:
    for answer in ("usual", "keep-alive", "interim", "large"):
        handler = gives(ANSWERS[answer], pieces=pieces, ends=True)
        lane, general = (played(REQUESTS[request_], handler, lanes) for lanes in (True, False))
        assert lane[:2] == general[:2], answer
        # Whether the pod is seen to leave before the last request is a race: retries may differ.
        assert lane.counts[:-1] == general.counts[:-1], answer


def dying(connection: PodConnection) -> None:
    """Answer once; leave with the next request unanswered."""
    connection.head()
    connection.send(OK)
    connection.head()
    connection.reset()


@pytest.mark.parametrize("request_", ["usual", "close", "delete", "post without body"])
def test_a_kept_connection_that_dies_under_a_request_is_replaced_alike(request_: str) -> None:
    lane, general = (played(REQUESTS[request_], dying, lanes) for lanes in (True, False))
    assert lane == general
    assert b"502" not in lane.client or request_.startswith("post")


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record which requests leave the lane."""
    left: list[str] = []
    leave = QuickClient._leave

    def recorded(self: QuickClient, endpoint: Endpoint) -> Exchange:
        left.append("left")
        return leave(self, endpoint)

    monkeypatch.setattr(QuickClient, "_leave", recorded)
    return left


def taken(rig: Rig) -> set[str]:
    return {lane.named.decode() for lane in rig.front.lanes.by_host.values()}


def test_usual_requests_stay_on_the_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    left = counted(monkeypatch)
    usual = ANSWERS["keep-alive"]
    with serving(answering(usual), lanes=True) as (rig, _), rig.connect() as sock:
        for _ in range(20):
            sock.sendall(REQUESTS["fields"])
            assert read_answer(sock)[1] == b"ok"
        assert taken(rig) == {"a"}
        assert rig.front.lanes.requests.recent is not None
        assert rig.front.lanes.answers.recent is not None
        # The client has its answer before the front has counted it.
        assert rig.call(lambda: rig.front.row[rig.front.by_class[2]]) == 20
        assert not left
        assert rig.opened == rig.closed == 20


def test_a_host_is_looked_up_anew_once_lanes_are_forgotten() -> None:
    """Its pods have changed: the next request goes where it belongs now."""
    one, two = answering(OK), answering(OK.replace(b"ok", b"no"))
    with serving(one, two, lanes=True) as (rig, pods), rig.connect() as sock:
        rig.routes["a"] = [pods[0].endpoint]
        for pod, body in ((0, b"ok"), (1, b"no"), (0, b"ok")):
            rig.routes["a"] = [pods[pod].endpoint]
            rig.call(rig.front.lanes.forget)
            for _ in range(3):
                sock.sendall(WARM)
                assert read_answer(sock)[1] == body


def test_draining_ends_connections_that_are_on_the_lane() -> None:
    go = threading.Event()

    def slow(connection: PodConnection) -> None:
        while head := connection.head():
            if b"/warm" not in head:
                go.wait(PATIENCE)
            connection.send(OK)

    with serving(slow, lanes=True) as (rig, [pod]), rig.connect() as sock, rig.connect() as idle:
        for each in (sock, idle):
            each.sendall(WARM)
            read_answer(each)
        sock.sendall(REQUESTS["usual"])
        until(lambda: b"/x" in pod.seen)
        rig.call(lambda: rig.front.drain(immediate=True))
        assert idle.recv(1) == b""
        go.set()
        head, _ = read_answer(sock)
        assert b"Connection: close" in head
        assert sock.recv(1) == b""
        assert not rig.front.lanes.by_host


def test_deadlines_hold_on_the_lane() -> None:
    """A pod that does not answer, and a client that asks no more."""

    def mute(connection: PodConnection) -> None:
        while head := connection.head():
            if b"/warm" in head:
                connection.send(OK)

    with serving(mute, lanes=True, limits=QUICK, server_timeout=0.5) as (rig, _):
        with rig.connect() as sock:
            sock.sendall(WARM)
            read_answer(sock)
            sock.sendall(REQUESTS["usual"])
            head, body = read_answer(sock)
            assert head.startswith(b"HTTP/1.1 504 ")
            assert b"server-timeout" in body
        with rig.connect() as sock:
            sock.sendall(WARM)
            read_answer(sock)
            assert sock.recv(1) == b""


def test_a_client_that_resets_on_the_lane_frees_its_pod() -> None:
    gone = threading.Event()

    def waiting(connection: PodConnection) -> None:
        while head := connection.head():
            if b"/warm" in head:
                connection.send(OK)
        gone.set()

    with serving(waiting, lanes=True) as (rig, [pod]):
        sock = rig.connect()
        sock.sendall(WARM)
        read_answer(sock)
        sock.sendall(REQUESTS["usual"])
        until(lambda: b"/x" in pod.seen)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        assert gone.wait(PATIENCE)
        until(lambda: rig.front.active == 0)
        assert rig.opened == rig.closed == 2


def blocked(rig: Rig) -> bool:
    """Tell whether an answer waits for its client to read."""
    flows = rig.call(lambda: [client._exchange.download for client in rig.front._clients])
    return any(flow is not None and not flow.writable for flow in flows)


def test_a_client_that_does_not_read_gets_its_answers_later() -> None:
    """Once its kernel is full, what it does not take of an answer follows when it reads."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n" + b"x" * 30_000
    with serving(answering(answer), lanes=True) as (rig, [pod]), rig.connect() as sock:
        answered = functools.partial(operator.getitem, rig.front.row, rig.front.by_class[2])
        for asked in itertools.count(1):
            sock.sendall(WARM)
            while answered() < asked and not blocked(rig):
                until(lambda: pod.seen.endswith(b"\r\n\r\n"))
            if blocked(rig):
                break
        assert asked > 10
        for _ in range(asked):
            head, body = read_answer(sock)
            assert head.startswith(b"HTTP/1.1 200 OK")
            assert body == b"x" * 30_000
        assert pod.seen.count(b"/warm") == asked


def played_inside_tls(request: bytes, answer: bytes, lanes: bool) -> tuple[bytes, bytes]:
    with secured(gives(answer)) as (rig, [pod]):
        rig.lanes = lanes
        rig.call(lambda: rig.front.watch(None))
        with rig.open() as sock:
            got = b""
            for _ in range(3):
                sock.sendall(WARM)
                got += b"".join(read_answer(sock))
            assert rig.call(lambda: taken(rig)) == ({"a"} if lanes else set())
            sock.sendall(request)
            got += sock.recv(1 << 20)
            if b"Connection: close" not in got:
                sock.sendall(END)
            got += read_all(sock)
        until(lambda: rig.front.active == 0)
        return got, re.sub(rb"Port: [0-9]+", b"Port: 0", pod.seen)


@pytest.mark.parametrize(
    "request_", ["usual", "fields", "close", "keep-alive", "head", "post", "two at once", "folded"]
)
def test_requests_inside_tls_are_answered_alike(request_: str) -> None:
    for answer in ("usual", "keep-alive", "close", "chunked", "large"):
        lane, general = (
            played_inside_tls(REQUESTS[request_], ANSWERS[answer], lanes) for lanes in (True, False)
        )
        assert lane == general, answer
