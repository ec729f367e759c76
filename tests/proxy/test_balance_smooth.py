from __future__ import annotations

from collections import Counter

from endpoints import endpoint, order, picks, shares_without, weighted

from podway_proxy.balance.smooth import SmoothWeighted


def test_spread_as_nginx_documents_it() -> None:
    assert picks(SmoothWeighted(weighted(5, 1, 1), {}), 14) == [0, 0, 1, 0, 2, 0, 0] * 2


def test_an_a_b_split_is_exact_in_every_round() -> None:
    balancer = SmoothWeighted(weighted(90, 10), {})
    balancer.skip(37)
    for _ in range(3):
        assert Counter(picks(balancer, 100)) == {0: 90, 1: 10}


def test_others_follow_once_each() -> None:
    balancer = SmoothWeighted(weighted(5, 2, 1, 1), {})
    assert [sorted(order(balancer)) for _ in range(20)] == [[0, 1, 2, 3]] * 20


def test_the_share_of_a_dead_endpoint_is_split_by_weight() -> None:
    got = shares_without(SmoothWeighted(weighted(4, 3, 2, 1), {}), {0}, 6_000)
    assert all(abs(got[at] - 1_000 * weight) <= 10 for at, weight in ((1, 3), (2, 2), (3, 1)))


def test_the_same_set_goes_on_as_if_nothing_had_happened() -> None:
    one, two = (SmoothWeighted(weighted(5, 3, 1), {}) for _ in range(2))
    picks(one, 4)
    picks(two, 4)
    assert picks(SmoothWeighted(weighted(5, 3, 1), two.credit_for(9)), 9) == picks(one, 9)


def test_a_debt_of_great_weights_does_not_starve_under_small_ones() -> None:
    old = SmoothWeighted(weighted(1_000, 999), {})
    picks(old, 1)
    assert set(picks(SmoothWeighted(weighted(2, 1), old.credit_for(3)), 3)) == {0, 1}


def test_one_that_stays_keeps_its_credit() -> None:
    old = SmoothWeighted(weighted(1, 1, 2), {})
    assert picks(old, 1) == [2]
    now = [(endpoint(2), 2), (endpoint(5), 1), (endpoint(0), 1)]
    assert picks(SmoothWeighted(now, old.credit_for(4)), 1) == [0]
