"""Parts of a Route's options put together: their order, and nothing where there is nothing."""

from __future__ import annotations

from typing import Any

from podway_proxy.balance.balancer import InOrder
from podway_proxy.http.request import Request
from podway_proxy.http.response import Response
from podway_proxy.values import Arrival, Endpoint
from podway_router.entry import HeadsEntry, RouteEntry, ShardEntry
from podway_router.extras import Part, extras_of, joined
from podway_router.ways import Way

REQUEST = Request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET", b"/", True, [(b"host", b"a")])
ARRIVAL = Arrival(("192.0.2.1", 1), ("192.0.2.2", 80), ("192.0.2.1", 1))
RESPONSE = Response(200, 0, True, True, 0)


def adds(word: bytes) -> Part:
    """Give a part that writes its word behind both heads."""

    def outgoing(request: Request, arrival: Arrival, head: bytes) -> bytes:
        return head + word

    def incoming(
        request: Request, arrival: Arrival, response: Response, who: Endpoint | None, head: bytes
    ) -> bytes:
        return head + word

    return Part(outgoing, incoming)


def test_no_part_is_no_extras() -> None:
    assert joined([None, Part(), None]) is None


def test_one_part_is_called_directly() -> None:
    part = adds(b"a")
    extras = joined([None, part])
    assert extras is not None
    assert extras.outgoing is part.outgoing
    assert extras.incoming is part.incoming


def test_parts_act_in_their_order() -> None:
    extras = joined([adds(b"a"), None, adds(b"b")])
    assert extras is not None
    assert extras.outgoing is not None
    assert extras.outgoing(REQUEST, ARRIVAL, b"-") == b"-ab"
    assert extras.dress(REQUEST, ARRIVAL, RESPONSE, None, b"-body", 1) == (b"-abbody", 3)


def test_interim_answers_are_left_alone() -> None:
    extras = joined([adds(b"a")])
    assert extras is not None
    interim = Response(103, 0, True, True, 0)
    assert extras.dress(REQUEST, ARRIVAL, interim, None, b"-", 1) == (b"-", 1)


def way(**fields: Any) -> Way:
    entry = RouteEntry("a", "/", "edge", "Allow", [("192.0.2.9", 80, "", 1)], "random", **fields)
    return Way("route shop/web", entry, frozenset(), InOrder([]))


SET = [["X-Seen", "%[req.hdr(unique-id)],%[req.hdr(X-SSL)],%[req.hdr(Cookie)]"]]
SHARD = ShardEntry(
    {},
    tls={"clients": "Optional"},
    heads=HeadsEntry(
        request_actions=[["X-Order", "controller"]],
        response_actions=[["X-Order", "controller"]],
        unique_id="unique-id",
        unique_id_format="id",
        names=["x-seen", "SET-cookie"],
    )._asdict(),
)
ROUTE: dict[str, Any] = {
    "request_actions": [["X-Order", "route"], *SET],
    "response_actions": [["X-Order", "route"], ["X-Seen", "%[res.hdr(Strict-Transport-Security)]"]],
    "hsts": "max-age=1",
    "rewrite": ["/", "/new/"],
    "adjusts_case": True,
    "cookie": "c",
}


def test_a_route_that_asks_for_nothing_has_none() -> None:
    assert extras_of(way(), ShardEntry({}), "https") is None
    assert extras_of(way(), ShardEntry({}, heads=HeadsEntry()._asdict()), "http") is None


def test_the_order_in_requests() -> None:
    extras = extras_of(way(**ROUTE), SHARD, "https")
    assert extras is not None
    assert extras.outgoing is not None
    head = extras.outgoing(REQUEST, ARRIVAL, REQUEST.head)
    assert head.startswith(b"GET /new/ HTTP/1.1\r\n")
    assert head.endswith(b"\r\nX-Order: route\r\nx-seen: id,1,\r\n\r\n")


def test_the_order_in_answers() -> None:
    extras = extras_of(way(**ROUTE), SHARD, "https")
    assert extras is not None
    answer = b"HTTP/1.1 200 OK\r\n\r\n"
    endpoint = Endpoint("192.0.2.9", 80)
    head, _ = extras.dress(REQUEST, ARRIVAL, RESPONSE, endpoint, answer, len(answer))
    lines = head.split(b"\r\n")[1:]
    assert lines[:2] == [b"Strict-Transport-Security: max-age=1", b"x-seen: max-age=1"]
    assert lines[2] == b"X-Order: controller"
    assert lines[3].startswith(b"SET-cookie: c=")


def test_nothing_about_tls_is_told_without_it() -> None:
    extras = extras_of(way(**ROUTE), SHARD, "http")
    assert extras is not None
    assert extras.outgoing is not None
    assert b"X-SSL:" not in extras.outgoing(REQUEST, ARRIVAL, REQUEST.head)
    answer = b"HTTP/1.1 200 OK\r\n\r\n"
    endpoint = Endpoint("192.0.2.9", 80)
    head, _ = extras.dress(REQUEST, ARRIVAL, RESPONSE, endpoint, answer, len(answer))
    assert b"Strict" not in head
