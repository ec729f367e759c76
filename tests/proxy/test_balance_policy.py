from __future__ import annotations

from random import Random

import pytest
from endpoints import CLIENT, order, picks, weighted

from podway_proxy.balance.load import Load
from podway_proxy.balance.policy import POLICIES, make


@pytest.mark.parametrize("policy", POLICIES)
def test_no_endpoint_and_one(policy: str) -> None:
    assert order(make(policy, [], Load(), Random(1))) == []
    assert order(make(policy, weighted(0, 0), Load(), Random(1))) == []
    assert order(make(policy, weighted(0, 7), Load(), Random(1))) == [1]


@pytest.mark.parametrize("policy", POLICIES)
def test_candidates_are_all_endpoints_once_but_those_of_weight_0(policy: str) -> None:
    balancer = make(policy, weighted(3, 0, 1, 2, 0), Load(), Random(1))
    for _ in range(20):
        assert sorted(order(balancer)) == [0, 2, 3]


@pytest.mark.parametrize("policy", POLICIES)
def test_weight_0_comes_last_when_told(policy: str) -> None:
    balancer = make(policy, weighted(3, 0, 1, 0), Load(), Random(1), zero_last=True)
    for _ in range(10):
        assert order(balancer)[2:] == [1, 3]


@pytest.mark.parametrize("policy", POLICIES)
def test_any_policy_may_follow_any_other(policy: str) -> None:
    balancer = None
    for other in (*POLICIES, policy):
        for weights in ((1, 1), (1, 2, 3), (0, 4, 4), (5,), ()):
            balancer = make(other, weighted(*weights), Load(), Random(1), balancer, zero_last=True)
            assert len(order(balancer)) == len(weights)


def test_candidates_are_lazy() -> None:
    balancer = make("roundrobin", weighted(1, 1, 1), Load(), Random(1))
    untouched = balancer.candidates(CLIENT)
    first, second = picks(balancer, 2)
    assert second == (first + 1) % 3
    assert next(untouched).port == 1000 + (second + 1) % 3


def test_fresh_rotations_begin_anywhere() -> None:
    starts = {
        picks(make("roundrobin", weighted(1, 1, 1), Load(), Random(s)), 1)[0] for s in range(9)
    }
    assert starts == {0, 1, 2}


def test_what_the_caller_must_not_ask_for() -> None:
    with pytest.raises(ValueError, match="one of roundrobin, leastconn, source, random"):
        make("first", weighted(1), Load(), Random(1))
    with pytest.raises(ValueError, match="negative"):
        make("random", weighted(1, -1), Load(), Random(1))
