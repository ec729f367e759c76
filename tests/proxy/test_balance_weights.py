from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from endpoints import chi_square, endpoint, picks

from podway_proxy.balance.load import Load
from podway_proxy.balance.policy import make
from podway_proxy.balance.weights import split_weights
from podway_proxy.values import Endpoint

SPLIT = [(90, 3), (10, 2), (0, 4), (20, 0)]
SERVICE = [0, 0, 0, 1, 1, 2, 2, 2, 2]  # which of them each endpoint belongs to


@pytest.mark.parametrize(
    ("services", "weights"),
    [
        ([(100, 1)], [1]),
        ([(100, 5)], [1]),
        ([(1, 1), (1, 1)], [1, 1]),
        ([(1, 3), (1, 5)], [5, 3]),
        ([(90, 3), (10, 2)], [6, 1]),
        ([(256, 1), (1, 1_000)], [256_000, 1]),
        ([(0, 3), (5, 2)], [0, 1]),
        ([(7, 0), (5, 2)], [0, 1]),
        ([(0, 3), (7, 0)], [0, 0]),
        ([], []),
    ],
)
def test_weights(services: list[tuple[int, int]], weights: list[int]) -> None:
    assert split_weights(services) == weights


def endpoints() -> list[tuple[Endpoint, int]]:
    weights = split_weights(SPLIT)
    return [(endpoint(at), weights[service]) for at, service in enumerate(SERVICE)]


def test_a_full_round_gives_each_service_exactly_its_share() -> None:
    balancer = make("roundrobin", endpoints(), Load(), Random(3))
    got = Counter(SERVICE[at] for at in picks(balancer, 20))
    assert got == {0: 18, 1: 2}


def test_random_gives_each_service_its_share_in_the_long_run() -> None:
    balancer = make("random", endpoints(), Load(), Random(3))
    got = Counter(SERVICE[at] for at in picks(balancer, 10_000))
    assert chi_square(got, [9_000, 1_000]) < 10.8  # 99.9 %, 1 degree of freedom
