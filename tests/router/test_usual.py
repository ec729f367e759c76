"""Heads of usual requests: the same is done to them as on the general way."""

from __future__ import annotations

from typing import Any

import pytest

from podway_proxy.balance.balancer import InOrder
from podway_proxy.http.request import Request
from podway_proxy.http.response import Response
from podway_proxy.values import Arrival, Endpoint
from podway_router.entry import HeadsEntry, RouteEntry, ShardEntry
from podway_router.extras import extras_of
from podway_router.sticky import Others
from podway_router.ways import Way

POD = Endpoint("192.0.2.9", 80)
ARRIVAL = Arrival(("192.0.2.1", 1), ("192.0.2.2", 80), ("192.0.2.1", 1))
ASKED = b"GET /sub/x?y=/sub HTTP/1.1\r\nHost: a\r\nx-b: 1\r\nCookie: c=d; stk=x\r\n\r\n"
REQUEST = Request(ASKED, b"GET", b"/sub/x?y=/sub", True, [(b"host", b"a")])
ANSWER = b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 4\r\n\r\nbody"
RESPONSE = Response(200, 4, True, True, 0)
FIELDS: dict[str, Any] = {
    "request_actions": [["X-A", "%[req.hdr(X-B)]"], ["x-b"]],
    "response_actions": [["X-A", "%[res.hdr(ETag)]"], ["etag"]],
    "hsts": "max-age=1",
    "rewrite": ["/sub", "/"],
    "adjusts_case": True,
}
HEADS = HeadsEntry(names=["x-a", "SET-cookie"])
OTHERS = Others(lambda _: iter([POD]), InOrder([POD]))


def extras(fields: dict[str, Any], heads: HeadsEntry = HEADS, **shard: Any) -> Any:
    entry = RouteEntry("a", "/", "edge", "Allow", [(*POD, 1)], "random", **fields)
    way = Way("route shop/web", entry, frozenset(), InOrder([POD]))
    return extras_of(way, ShardEntry({}, heads=heads._asdict(), **shard), "https", OTHERS)


@pytest.mark.parametrize("cookie", [{}, {"cookie": "stk"}])
def test_both_ways_do_the_same(cookie: dict[str, str]) -> None:
    made = extras({**FIELDS, **cookie})
    usual = made.usual
    assert usual.leaving(ASKED) == made.outgoing(REQUEST, ARRIVAL, ASKED)
    end = ANSWER.index(b"body")
    general, _ = made.dress(REQUEST, ARRIVAL, RESPONSE, POD, ANSWER, end)
    assert usual.coming(ASKED, POD, 200, ANSWER, end) == general
    assert usual.first(ASKED, "192.0.2.1") == POD
    assert list(usual.others(ASKED, POD, "192.0.2.1")) == []


def test_nobody_to_pick_is_left_to_the_general_way() -> None:
    entry = RouteEntry("a", "/", "", "", [], "random", **FIELDS)
    made = extras_of(Way("route shop/web", entry, frozenset(), InOrder([])), ShardEntry({}), "http")
    assert made is not None
    assert made.usual is not None
    assert made.usual.first(ASKED, "192.0.2.1") is None


@pytest.mark.parametrize(
    ("fields", "heads", "shard"),
    [
        ({"request_actions": [["X-A", "%[req.hdr(Connection)]"]]}, HEADS, {}),
        ({}, HeadsEntry(names=["CONNECTION"]), {}),
        ({}, HeadsEntry(unique_id="X-Id"), {}),
        (FIELDS, HEADS, {"tls": {"clients": "Optional"}}),
        (FIELDS, HEADS, {"compressed": ["text/html"]}),
    ],
)
def test_what_needs_more_than_heads_takes_the_general_way(
    fields: dict[str, Any], heads: HeadsEntry, shard: dict[str, Any]
) -> None:
    assert extras(fields, heads, **shard).usual is None
