from __future__ import annotations

from typing import Any

import pytest
from limiting_rig import ByHand

from podway_proxy.balance.balancer import InOrder
from podway_proxy.balance.load import Load
from podway_proxy.counters import Counters
from podway_proxy.http.target import Target
from podway_proxy.limiting.clients import Rules
from podway_proxy.limiting.visit import Visit
from podway_proxy.log import Log, Style
from podway_proxy.restraint import Restraint
from podway_proxy.values import Endpoint, Forward
from podway_router.account import COUNTERS, Account
from podway_router.choice import Choice
from podway_router.entry import RouteEntry
from podway_router.guard import Guard, Shared
from podway_router.ways import Map, Way

KEY, POD = "route/apps/shop/web", Endpoint("10.0.0.1", 80)


class Scene:
    """A guard with one Route, and what it counts."""

    def __init__(self) -> None:
        plane: Any = ByHand()
        self.map = Map()
        self.load = Load()
        self.counters = Counters(names=COUNTERS)
        log = Log("test", style=Style(level="error"))
        account = Account(Restraint(plane, log), self.counters)
        choice = Choice(plane, account)
        self.guard = Guard(plane, Shared(), lambda: self.map, choice, self.load, account)

    def way(self, rules: Rules | None = None, pod_connections: int = 0) -> Way:
        entry = RouteEntry("a.t", "", "", "", [], "random", pod_connections=pod_connections)
        addresses = frozenset({POD.address})
        way = Way("route shop/web", entry, addresses, InOrder([POD]), rules=rules)
        self.map = Map({KEY: way})
        return way

    def queued(self) -> int:
        return self.counters.total(self.counters.slot("queued"))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_refusal_names_route_and_limit(scene: Scene) -> None:
    way = scene.way(Rules(requests=1))
    asked = [scene.guard.refusal(KEY, way, "10.9.9.9", http=True) for _ in range(2)]
    assert asked == ["", "route shop/web: rate-limit-connections.rate-http is 1 in 10 s"]
    assert scene.guard.refusal(KEY, way, "10.9.9.8", http=True) == ""
    assert scene.guard.refusal(KEY, scene.way(), "10.9.9.9", http=True) == ""


def test_rates_alone_need_no_gate(scene: Scene) -> None:
    target, forward = Target(label="x"), Forward(())
    way = scene.way(Rules(connections=9, requests=9))
    assert scene.guard.guarded(target, KEY, way, "10.9.9.9", own=False) is target
    assert scene.guard.through(forward, KEY, way, "10.9.9.9") is forward


def test_the_target_of_one_request_counts_as_under_way(scene: Scene) -> None:
    way = scene.way(Rules(concurrent=2))
    target = Target(label="x", server_timeout=7.0)
    made = scene.guard.guarded(target, KEY, way, "10.9.9.9", own=False)
    assert (made.label, made.server_timeout, target.gate) == ("x", 7.0, None)
    assert made.gate is not None
    assert made.on_open is not None
    assert made.on_close is not None
    made.gate.enter(iter((POD,)), lambda _: None, lambda _: None)
    made.on_open(POD)
    assert scene.load.active(POD) == 1
    assert "concurrent-tcp is 2" in scene.guard.refusal(KEY, way, "10.9.9.9", http=True)
    made.on_close(POD)
    assert scene.load.active(POD) == 0
    assert scene.guard.refusal(KEY, way, "10.9.9.9", http=True) == ""


def test_connections_and_requests_share_the_places_of_a_route(scene: Scene) -> None:
    way = scene.way(pod_connections=1)
    through = scene.guard.through(Forward(iter((POD,))), KEY, way, "10.9.9.9").gate
    request = scene.guard.guarded(Target(), KEY, way, "10.9.9.9", own=False).gate
    assert isinstance(through, Visit)
    assert isinstance(request, Visit)
    went: list[Endpoint] = []
    given = through.enter(iter((POD,)), lambda _: None, lambda _: None)
    assert given is not None
    assert next(given) == POD
    assert request.enter(iter((POD,)), lambda it: went.append(next(it)), lambda _: None) is None
    assert scene.queued() == 1
    through.cancel()
    scene.guard._plane.settle()
    assert went == [POD]
    assert scene.queued() == 0
