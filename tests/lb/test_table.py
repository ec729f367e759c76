from __future__ import annotations

from random import Random
from typing import Any

from podway_lb.entry import ServiceEntry, service_key
from podway_lb.table import Table, build
from podway_proxy.balance.load import Load

HTTP = service_key("openshift-ingress", "router-apps", "http")


def entry(*ports: int, **more: Any) -> dict[str, Any]:
    endpoints = [("127.1.1.1", port, f"node-{port}") for port in ports]
    fields = {"policy": "leastconn", "proxy": True, "ranges": None, **more}
    return ServiceEntry(["tcp 127.0.2.1:80"], endpoints, **fields)._asdict()


def made(entries: dict[str, Any], before: Table | None = None) -> Table:
    return build(entries, before or Table(), Load(), Random(1))


def test_a_listener_leads_to_its_service() -> None:
    target = made({HTTP: entry(1, 2)}).by_listener["tcp 127.0.2.1:80"]
    assert target.label == "service openshift-ingress/router-apps http"
    assert {one.port for one in target.balancer.candidates("127.0.0.1")} == {1, 2}


def test_an_endpoint_that_is_down_is_left_out_and_all_down_means_all() -> None:
    one_down = made({HTTP: entry(1, 2), "down/127.1.1.1:2": {}}).by_key[HTTP]
    assert [one.port for one in one_down.usable] == [1]
    down = {"down/127.1.1.1:1": {}, "down/127.1.1.1:2": {}}
    assert len(made({HTTP: entry(1, 2), **down}).by_key[HTTP].usable) == 2


def test_a_balancer_goes_on_where_nothing_changed() -> None:
    before = made({HTTP: entry(1, 2)})
    after = made({HTTP: entry(1, 2, proxy=False)}, before)
    assert after.by_key[HTTP].balancer is before.by_key[HTTP].balancer
    assert not after.by_key[HTTP].entry.proxy
    changed = made({HTTP: entry(1, 2, 3)}, after)
    assert changed.by_key[HTTP].balancer is not before.by_key[HTTP].balancer


def test_ranges() -> None:
    target = made({HTTP: entry(1, ranges=["10.0.0.0/8"])}).by_key[HTTP]
    assert target.ranges is not None
    assert target.ranges.holds("10.1.1.1")
    assert not target.ranges.holds("127.0.0.1")
    nobody = made({HTTP: entry(1, ranges=[])}).by_key[HTTP]
    assert nobody.ranges is not None
    assert not nobody.ranges.holds("10.1.1.1")
