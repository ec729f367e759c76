from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from endpoints import chi_square, endpoint, order, picks, weighted

from podway_proxy.balance.load import Load
from podway_proxy.balance.random_two import RandomTwo


def test_shares_are_those_of_the_weights_when_all_are_idle() -> None:
    got = Counter(picks(RandomTwo(weighted(1, 2, 3, 4), Load(), Random(5)), 10_000))
    assert chi_square(got, [1_000, 2_000, 3_000, 4_000]) < 16.3  # 99.9 %, 3 degrees of freedom


def test_the_busiest_is_picked_only_when_drawn_twice() -> None:
    load = Load()
    load.began(endpoint(0))
    got = Counter(picks(RandomTwo(weighted(*[1] * 10), load, Random(5)), 10_000))
    assert chi_square(got, [100, *[1_100] * 9]) < 27.9  # 99.9 %, 9 degrees of freedom


def test_busy_is_relative_to_the_weight() -> None:
    load = Load()
    for at in (0, 0, 1):
        load.began(endpoint(at))
    got = Counter(picks(RandomTwo(weighted(10, 1), load, Random(5)), 2_000))
    assert got[1] < 50  # drawn twice: 1 in 121


def test_retries_come_in_any_order() -> None:
    balancer = RandomTwo(weighted(1, 1, 1), Load(), Random(5))
    assert {tuple(order(balancer)) for _ in range(100)} == {
        (0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0),
    }  # fmt: skip


@pytest.mark.parametrize("total", [3, 2**53 - 1, 2**53 + 3, 2**60 - 1, 2**60, 2**70 + 1])
def test_the_highest_draw_is_the_last_endpoint(total: int) -> None:
    class Highest(Random):
        def random(self) -> float:
            return 1 - 2**-53

    light = max(1, total >> 50)
    balancer = RandomTwo(weighted(total - light, light), Load(), Highest())
    assert picks(balancer, 1) == [1]
