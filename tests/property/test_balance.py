from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

from endpoints import CLIENT, endpoint, number, order, picks, weighted
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.balance.balancer import Balancer
from podway_proxy.balance.health import Health
from podway_proxy.balance.leastconn import LeastConn
from podway_proxy.balance.load import Load
from podway_proxy.balance.policy import POLICIES, make
from podway_proxy.balance.smooth import SmoothWeighted
from podway_proxy.balance.source import Source
from podway_proxy.balance.weights import split_weights

WEIGHTS = st.lists(st.integers(1, 30), min_size=2, max_size=8)
SETS = st.dictionaries(st.integers(0, 9), st.integers(0, 9), max_size=8)
SEEDS = st.integers(0, 99)


def nginx(weights: list[int], count: int) -> list[int]:
    """The smooth weighted round robin as nginx's comment has it, word by word."""
    current = [0] * len(weights)
    got = []
    for _ in range(count):
        for at, weight in enumerate(weights):
            current[at] += weight
        best = max(range(len(weights)), key=lambda at: (current[at], -at))
        current[best] -= sum(weights)
        got.append(best)
    return got


@given(WEIGHTS)
@settings(max_examples=100, deadline=None)
def test_smooth_is_nginx(weights: list[int]) -> None:
    assert picks(SmoothWeighted(weighted(*weights), {}), 100) == nginx(weights, 100)


@given(WEIGHTS, SEEDS, st.integers(0, 50))
@settings(max_examples=100, deadline=None)
def test_every_round_is_exact_from_anywhere(weights: list[int], seed: int, before: int) -> None:
    balancer = make("roundrobin", weighted(*weights), Load(), Random(seed))
    picks(balancer, before)
    assert Counter(picks(balancer, sum(weights))) == dict(enumerate(weights))


@given(st.lists(st.tuples(SETS, st.integers(0, 12)), min_size=1, max_size=6), SEEDS)
@settings(max_examples=150, deadline=None)
def test_rebuilding_never_bends_the_shares(
    steps: list[tuple[dict[int, int], int]], seed: int
) -> None:
    balancer: Balancer | None = None
    random = Random(seed)
    for members, count in steps:
        pairs = [(endpoint(at), weight) for at, weight in members.items()]
        balancer = make("roundrobin", pairs, Load(), random, balancer)
        for _ in range(count):
            list(zip(balancer.candidates(CLIENT), range(random.randrange(1, 4)), strict=False))
    assert balancer is not None
    members = {at: weight for at, weight in steps[-1][0].items() if weight}
    if members:
        got = Counter(picks(balancer, 3 * sum(members.values())))
        assert all(abs(got[at] - 3 * weight) <= 2 for at, weight in members.items())


@given(st.sampled_from(POLICIES), SETS, SEEDS, st.booleans())
@settings(max_examples=150, deadline=None)
def test_each_candidate_once_and_only_with_a_weight(
    policy: str, members: dict[int, int], seed: int, zero_last: bool
) -> None:
    pairs = [(endpoint(at), weight) for at, weight in members.items()]
    balancer = make(policy, pairs, Load(), Random(seed), zero_last=zero_last)
    for client in (CLIENT, "2001:db8::1"):
        got = order(balancer, client)
        chosen = [at for at, weight in members.items() if weight]
        last = [at for at, weight in members.items() if not weight] if zero_last else []
        assert sorted(got[: len(chosen)]) == sorted(chosen)
        assert got[len(chosen) :] == last


@given(WEIGHTS, st.lists(st.integers(0, 7), max_size=40))
@settings(max_examples=150, deadline=None)
def test_leastconn_is_the_smallest_fraction(weights: list[int], busy: list[int]) -> None:
    load = Load()
    for at in busy:
        load.began(endpoint(at))
    balancer = LeastConn(weighted(*weights), load, 0)
    for _ in range(20):
        score = [Fraction(busy.count(at) + 1, weight) for at, weight in enumerate(weights)]
        got = order(balancer)
        assert [score[at] for at in got] == sorted(score)
        busy = [*busy, got[0]]
        load.began(endpoint(got[0]))


@given(SETS, st.lists(st.ip_addresses().map(str), max_size=20))
@settings(max_examples=100, deadline=None)
def test_source_without_its_first_gives_its_second(
    members: dict[int, int], clients: list[str]
) -> None:
    pairs = [(endpoint(at), weight) for at, weight in members.items() if weight]
    for client in clients if len(pairs) > 1 else []:
        whole = [number(each) for each in Source(pairs).candidates(client)]
        rest = Source([each for each in pairs if number(each[0]) != whole[0]])
        assert [number(each) for each in rest.candidates(client)] == whole[1:]


@given(st.lists(st.tuples(st.integers(0, 256), st.integers(0, 40)), max_size=4))
@settings(max_examples=200, deadline=None)
def test_split_weights_are_the_services_shares(services: list[tuple[int, int]]) -> None:
    weights = split_weights(services)
    total = sum(weight * count for weight, (_, count) in zip(weights, services, strict=True))
    asked = sum(weight for weight, count in services if count)
    for each, (weight, count) in zip(weights, services, strict=True):
        if total and count:
            assert Fraction(each * count, total) == Fraction(weight, asked)
        else:
            assert each == 0


@given(st.integers(1, 5), st.integers(1, 5), st.lists(st.booleans(), max_size=60))
@settings(max_examples=200, deadline=None)
def test_health_flips_exactly_after_so_many_in_a_row(
    fall: int, rise: int, seen: list[bool]
) -> None:
    health, up, run = Health(fall, rise), True, 0
    for ok in seen:
        run = 0 if ok == up else run + 1
        flip = run == (rise if ok else fall) and ok != up
        assert health.seen(ok) is (ok if flip else None)
        if flip:
            up, run = ok, 0
        assert health.up is up


@given(st.sampled_from(POLICIES), WEIGHTS, SEEDS, st.integers(1, 20), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_first_and_the_others_are_the_candidates(
    policy: str, weights: list[int], seed: int, rounds: int, zero: bool
) -> None:
    """Also as for what the next ones are."""
    pairs = weighted(*weights, *([0] if zero else []))
    one, two = (make(policy, pairs, Load(), Random(seed), zero_last=zero) for _ in range(2))
    for _ in range(rounds):
        first = one.first(CLIENT)
        assert first is not None
        assert [first, *one.others(first, CLIENT)] == list(two.candidates(CLIENT))
