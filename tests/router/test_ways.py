from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from podway_proxy.balance.load import Load
from podway_proxy.balance.slow_start import Ramp
from podway_router.decide import Match
from podway_router.entry import RouteEntry, route_key
from podway_router.ways import Map, Means, rebuilt, risen

WEB = route_key("apps", "shop", "web")
API = route_key("apps", "shop", "api")
OTHER = route_key("ext", "shop", "web")


def route(host: str, *pods: int, weights: tuple[int, ...] = ()) -> dict[str, Any]:
    endpoints = [
        ("127.0.0.1", port, f"pod-{port}", weights[place] if weights else 1)
        for place, port in enumerate(pods)
    ]
    return RouteEntry(host, "/", "", "", endpoints, "roundrobin")._asdict()


class Maps:
    """Applies sets of entries one after the other."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.map = Map()
        self.means = Means(Load(), Random(1))

    def change(self, put: dict[str, Any], drop: tuple[str, ...] = ()) -> Map:
        self.entries = {key: value for key, value in self.entries.items() if key not in drop} | put
        changed = {*put, *drop}
        self.map = rebuilt(self.map, self.entries, changed, self.means)
        return self.map

    def at(self, now: float) -> None:
        """Let the clock of slow start stand there."""
        self.means = self.means._replace(ramp=Ramp(10.0, now))

    def picks(self, key: str, times: int) -> list[int]:
        balancer = self.map.ways[key].balancer
        return [next(iter(balancer.candidates("127.0.0.1"))).port for _ in range(times)]


def test_routes_are_put_changed_and_dropped() -> None:
    maps = Maps()
    first = maps.change({WEB: route("web.t", 1), API: route("api.t", 2), OTHER: route("x.t", 3)})
    assert first.tables["apps"].http("web.t", b"/") == Match(WEB)
    assert first.tables["ext"].http("web.t", b"/") != Match(WEB)
    second = maps.change({WEB: route("new.t", 1)}, drop=(API,))
    assert second.tables["apps"].http("new.t", b"/") == Match(WEB)
    assert API not in second.ways
    assert second.ways[OTHER] is first.ways[OTHER]
    assert second.tables["ext"] is first.tables["ext"]
    assert first.tables["apps"].http("web.t", b"/") == Match(WEB), "what was handed out stays"


def test_a_reload_keeps_the_turn() -> None:
    maps = Maps()
    maps.change({WEB: route("web.t", 1, 2, 3, weights=(5, 2, 1))})
    picked: list[int] = []
    for number in range(80):
        picked += maps.picks(WEB, 1)
        changed = {**route("web.t", 1, 2, 3, weights=(5, 2, 1)), "server_timeout": number + 1.0}
        maps.change({WEB: changed})
    assert Counter(picked) == {1: 50, 2: 20, 3: 10}


def test_an_endpoint_that_is_down_is_left_out_until_it_is_up() -> None:
    maps = Maps()
    maps.change({WEB: route("web.t", 1, 2), API: route("api.t", 3, 4)})
    api = maps.map.ways[API]
    maps.change({"down/127.0.0.1:2": {}})
    assert set(maps.picks(WEB, 4)) == {1}
    assert maps.map.ways[API] is api, "other routes are left alone"
    maps.change({}, drop=("down/127.0.0.1:2",))
    assert set(maps.picks(WEB, 4)) == {1, 2}


def test_all_down_means_all_are_tried() -> None:
    maps = Maps()
    maps.change({WEB: route("web.t", 1, 2), "down/127.0.0.1:1": {}, "down/127.0.0.1:2": {}})
    assert set(maps.picks(WEB, 4)) == {1, 2}


def test_a_route_without_endpoints_has_no_candidates() -> None:
    maps = Maps()
    maps.change({WEB: route("web.t")})
    assert not list(maps.map.ways[WEB].balancer.candidates("127.0.0.1"))


def test_an_endpoint_that_comes_gets_its_share_little_by_little() -> None:
    maps = Maps()
    maps.at(100.0)
    maps.change({WEB: route("web.t", 1, 2)})
    assert Counter(maps.picks(WEB, 10)) == {1: 5, 2: 5}, "those of a new Route start in full"
    maps.change({WEB: route("web.t", 1, 2, 3)})
    assert Counter(maps.picks(WEB, 201)) == {1: 100, 2: 100, 3: 1}
    maps.at(105.0)
    maps.map = risen(maps.map, maps.means)
    assert Counter(maps.picks(WEB, 50)) == {1: 20, 2: 20, 3: 10}
    maps.change({WEB: route("web.t", 1, 3)})
    assert Counter(maps.picks(WEB, 30)) == {1: 20, 3: 10}, "a change does not begin anew"
    maps.at(110.0)
    maps.map = risen(maps.map, maps.means)
    assert Counter(maps.picks(WEB, 30)) == {1: 15, 3: 15}
    assert not maps.map.ways[WEB].rising


def test_an_endpoint_that_comes_back_up_likewise() -> None:
    maps = Maps()
    maps.at(0.0)
    maps.change({WEB: route("web.t", 1, 2)})
    maps.change({"down/127.0.0.1:2": "why"})
    assert set(maps.picks(WEB, 10)) == {1}
    maps.change({}, drop=("down/127.0.0.1:2",))
    assert Counter(maps.picks(WEB, 101)) == {1: 100, 2: 1}


def test_where_nobody_is_left_all_start_in_full() -> None:
    maps = Maps()
    maps.at(0.0)
    maps.change({WEB: route("web.t", 1, 2)})
    maps.change({WEB: route("web.t", 3, 4, weights=(3, 1))})
    assert Counter(maps.picks(WEB, 40)) == {3: 30, 4: 10}


def test_a_cookies_endpoint_that_flips_renews_its_routes() -> None:
    maps = Maps()
    kept = {**route("web.t", 1), "kept": [("127.0.0.1", 9, "", 0)]}
    first = maps.change({WEB: kept})
    assert ("127.0.0.1", 9) in first.ways[WEB].addresses
    assert maps.change({"down/127.0.0.1:9": "why"}).ways[WEB] is not first.ways[WEB]
    assert set(maps.picks(WEB, 5)) == {1}
