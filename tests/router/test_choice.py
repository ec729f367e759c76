from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from podway_proxy.balance.balancer import InOrder
from podway_proxy.values import Endpoint
from podway_router.choice import Choice
from podway_router.entry import RouteEntry
from podway_router.ways import Way

A, B = Endpoint("127.128.1.1", 1, ""), Endpoint("127.128.1.1", 2, "")


def test_an_endpoint_that_failed_is_last_for_every_route_and_noted() -> None:
    noted: list[Any] = []
    account: Any = SimpleNamespace(connect_failed=lambda *said: noted.append(said))
    plane: Any = SimpleNamespace(now=1.0)
    choice = Choice(plane, account)
    entry = RouteEntry("h.t", "/", "", "", [], "random")
    way = Way("route n/r", entry, frozenset(), InOrder([A, B]))
    assert list(choice.candidates(way, "127.0.0.1")) == [A, B]
    choice.failed("route n/other", A, "refused")
    assert noted == [("route n/other", A, "refused")]
    assert list(choice.candidates(way, "127.0.0.1")) == [B, A]
    plane.now = 100.0
    assert list(choice.candidates(way, "127.0.0.1")) == [A, B]


def test_what_is_picked_one_by_one_is_nothing_while_an_endpoint_is_tried_last() -> None:
    plane: Any = SimpleNamespace(now=1.0)
    choice = Choice(plane, SimpleNamespace(connect_failed=lambda *_: None))  # type: ignore[arg-type]
    entry = RouteEntry("h.t", "/", "", "", [], "random")
    pick = choice.pick(Way("route n/r", entry, frozenset(), InOrder([A, B])))
    assert pick.first("127.0.0.1") == A
    assert list(pick.others(A, "127.0.0.1")) == [B]
    choice.failed("route n/other", B, "refused")
    assert pick.first("127.0.0.1") is None
