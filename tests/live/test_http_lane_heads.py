"""What Routes do to heads, on the fast lane and off it: the same at client and pod."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from lane_scene import ANSWERS, REQUESTS, Dress, gives, played, unordered

from podway_proxy.balance.balancer import InOrder
from podway_proxy.http import shapes
from podway_proxy.http.extras import Extras
from podway_proxy.http.quick import QuickClient
from podway_proxy.values import Endpoint
from podway_router.entry import HeadsEntry, RouteEntry, ShardEntry
from podway_router.extras import extras_of
from podway_router.sticky import Others
from podway_router.ways import Way

pytestmark = pytest.mark.live
ACTIONS: dict[str, Any] = {
    "request_actions": [
        ["X-Copy", "%[req.hdr(Accept),lower]|%[req.hdr(X-Forwarded-For)]"],
        ["X-Request-Id"],
        ["X-Seen", "%[req.hdr(X-Copy)]"],
    ],
    "response_actions": [
        ["X-Length", "%[res.hdr(Content-Length)]|%[ssl_c_der,base64]"],
        ["X"],
        ["ETag", "y"],
    ],
}
HEADS = HeadsEntry(
    request_actions=[["X-Order", "1"]],
    response_actions=[["X-Order", "%[res.hdr(X-Length)]"]],
    names=["ACCEPT", "x-order", "SET-cookie"],
)
SHARD = ShardEntry({}, heads=HEADS._asdict())
ALL: dict[str, Any] = {**ACTIONS, "rewrite": ["/", "/new/"], "adjusts_case": True}


@pytest.fixture(autouse=True)
def shapes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the second request on the lane make a shape, which the third one has."""
    monkeypatch.setattr(shapes, "EACH", 1)
    monkeypatch.setattr(shapes, "OFTEN", 1)


def dressed(fields: dict[str, Any], shard: ShardEntry, pods: list[Endpoint]) -> Extras:
    entry = RouteEntry("a", "/", "", "", [(*pod, 1) for pod in pods], "random", **fields)
    way = Way("route shop/a", entry, frozenset(), InOrder(pods))
    extras = extras_of(way, shard, "http", Others(lambda _: iter(pods), InOrder(pods)))
    assert extras is not None
    return extras


ROUTES: dict[str, Dress] = {
    "actions": partial(dressed, ACTIONS, ShardEntry({})),
    "everything": partial(dressed, {**ALL, "cookie": "stk"}, SHARD),
    "the controller's": partial(dressed, {}, SHARD),
    "a path": partial(dressed, {"rewrite": ["/", "/new/"]}, ShardEntry({})),
}
MET = ("usual", "fields", "close", "keep-alive", "delete", "post", "head", "two at once", "old")


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("route", ROUTES)
def test_heads_are_changed_alike(route: str, answer: str) -> None:
    for asked in MET:
        lane, general = (
            played(REQUESTS[asked], gives(ANSWERS[answer]), lanes, ROUTES[route])
            for lanes in (True, False)
        )
        assert unordered(lane) == unordered(general), asked
    assert b"X-Copy: " in lane.pod or "X-Copy" not in str(ROUTES[route])


def test_usual_requests_stay_on_the_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    general: list[str] = []
    for name in ("_leave", "_route"):
        noted(monkeypatch, name, general)
    for dress in ROUTES.values():
        general.clear()
        played(REQUESTS["fields"], gives(ANSWERS["keep-alive"]), True, dress)
        assert general == ["_route"]  # the first request of the host


def noted(monkeypatch: pytest.MonkeyPatch, name: str, calls: list[str]) -> None:
    """Note the calls of a method of clients."""
    method = getattr(QuickClient, name)

    def note(self: QuickClient, *rest: Any) -> Any:
        calls.append(name)
        return method(self, *rest)

    monkeypatch.setattr(QuickClient, name, note)


@pytest.mark.parametrize(
    ("fields", "heads"),
    [
        ({"request_actions": [["X-A", "%[req.hdr(Connection)]"]]}, HeadsEntry()),
        ({"response_actions": [["X-A", "%[res.hdr(Keep-Alive)]"]]}, HeadsEntry()),
        ({}, HeadsEntry(names=["CONNECTION"])),
        ({"cookie": "stk"}, HeadsEntry(unique_id="X-Id")),
    ],
)
def test_what_the_lane_can_not_tell_takes_the_general_way(
    fields: dict[str, Any], heads: HeadsEntry
) -> None:
    shard = ShardEntry({}, heads=heads._asdict())
    assert dressed(fields, shard, []).usual is None
