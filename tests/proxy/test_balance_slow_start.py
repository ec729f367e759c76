from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from endpoints import chi_square, endpoint, order, picks, weighted

from podway_proxy.balance.load import Load
from podway_proxy.balance.policy import make
from podway_proxy.balance.slow_start import NOBODY, Ramp

OLD, NEW = endpoint(0).address, endpoint(1).address


def test_off_nobody_grows() -> None:
    assert Ramp().rising([OLD], [OLD, NEW]) == NOBODY


def test_those_that_come_grow_until_their_time_is_over() -> None:
    first = Ramp(10.0, 100.0).rising([OLD], [OLD, NEW])
    assert first == {NEW: 100.0}
    both = [OLD, NEW]
    assert Ramp(10.0, 109.0).rising(both, both, first) == first
    assert Ramp(10.0, 110.0).rising(both, both, first) == {}
    assert Ramp(10.0, 105.0).rising(both, [OLD], first) == {}
    again = Ramp(10.0, 106.0).rising([OLD], both)
    assert again == {NEW: 106.0}, "who has been away begins anew"


def test_where_nobody_stays_nobody_grows() -> None:
    assert Ramp(10.0, 0.0).rising([], [OLD]) == {}
    assert Ramp(10.0, 0.0).rising([OLD], [NEW]) == {}


def test_weights_grow_in_a_straight_line() -> None:
    since = {NEW: 100.0}
    for now, part in ((100.0, 1), (100.4, 4), (105.0, 50), (109.99, 99), (200.0, 100)):
        assert Ramp(10.0, now).weigh(weighted(1, 3), since) == weighted(100, 3 * part)
    assert Ramp(10.0, 100.0).weigh(weighted(1, 0), since) == weighted(100, 0)


@pytest.mark.parametrize("policy", ["roundrobin", "random"])
def test_shares_half_way(policy: str) -> None:
    half = Ramp(10.0, 105.0).weigh(weighted(1, 1, 2), {NEW: 100.0})
    got = Counter(picks(make(policy, half, Load(), Random(1)), 7_000))
    assert chi_square(got, [2_000, 1_000, 4_000]) < 13.8  # 99.9 %, 2 degrees of freedom


def test_leastconn_half_way() -> None:
    load = Load()
    half = Ramp(10.0, 105.0).weigh(weighted(1, 1), {NEW: 100.0})
    balancer = make("leastconn", half, load, Random(1))
    for _ in range(30):
        load.began(next(balancer.candidates("192.0.2.1")))
    assert [load.active(endpoint(at)) for at in (0, 1)] == [20, 10]


def test_source_hands_clients_over_for_good() -> None:
    clients = [f"10.0.{at // 250}.{at % 250}" for at in range(500)]
    moved: set[str] = set()
    for now in (100.0, 102.0, 104.0, 106.0, 108.0, 110.0):
        pairs = Ramp(10.0, now).weigh(weighted(1, 1), {NEW: 100.0})
        source = make("source", pairs, Load(), Random(1))
        there = {client for client in clients if order(source, client)[0] == 1}
        assert moved <= there
        moved = there
    assert 200 < len(moved) < 300
