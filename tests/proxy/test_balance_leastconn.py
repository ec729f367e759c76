from __future__ import annotations

from collections import Counter

from endpoints import CLIENT, endpoint, number, order, picks, weighted

from podway_proxy.balance.leastconn import LeastConn
from podway_proxy.balance.load import Load


def opened(balancer: LeastConn, load: Load, count: int) -> list[int]:
    """Open connections that stay."""
    got = []
    for _ in range(count):
        each = next(balancer.candidates(CLIENT))
        load.began(each)
        got.append(number(each))
    return got


def test_equals_take_turns() -> None:
    assert picks(LeastConn(weighted(1, 1, 1), Load(), 1), 6) == [1, 2, 0, 1, 2, 0]


def test_the_least_busy_is_first_and_the_busiest_last() -> None:
    load = Load()
    for at in (0, 0, 0, 1, 1):
        load.began(endpoint(at))
    assert order(LeastConn(weighted(1, 1, 1), load, 0)) == [2, 1, 0]
    load.ended(endpoint(1))
    load.ended(endpoint(1))
    load.began(endpoint(2))
    assert order(LeastConn(weighted(1, 1, 1), load, 0)) == [1, 2, 0]


def test_weights_from_the_first_connection_on() -> None:
    load = Load()
    got = opened(LeastConn(weighted(10, 1), load, 0), load, 11)
    assert Counter(got[:9]) == {0: 9}
    assert Counter(got) == {0: 10, 1: 1}


def test_a_retry_sees_the_load_of_then() -> None:
    load = Load()
    candidates = LeastConn(weighted(1, 1, 1), load, 0).candidates(CLIENT)
    assert number(next(candidates)) == 0
    load.began(endpoint(1))
    assert number(next(candidates)) == 2
