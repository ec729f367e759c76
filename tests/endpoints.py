"""Endpoints for tests of balancers, and how often each of them was picked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from podway_proxy.balance.balancer import Balancer
from podway_proxy.values import Endpoint

CLIENT = "192.0.2.1"


def endpoint(number: int) -> Endpoint:
    return Endpoint("10.0.0.1", 1000 + number)


def weighted(*weights: int) -> list[tuple[Endpoint, int]]:
    """One endpoint per weight."""
    return [(endpoint(at), weight) for at, weight in enumerate(weights)]


def number(each: Endpoint) -> int:
    return each.port - 1000


def picks(balancer: Balancer, count: int, client: str = CLIENT) -> list[int]:
    """The numbers of the first candidates of some connections."""
    return [number(next(balancer.candidates(client))) for _ in range(count)]


def order(balancer: Balancer, client: str = CLIENT) -> list[int]:
    """All candidates of one connection."""
    return [number(each) for each in balancer.candidates(client)]


def shares_without(balancer: Balancer, dead: set[int], count: int) -> Counter[int]:
    """How many connections each gets when some endpoints refuse all of theirs."""
    got: Counter[int] = Counter()
    for _ in range(count):
        for each in balancer.candidates(CLIENT):
            if number(each) not in dead:
                got[number(each)] += 1
                break
    return got


def chi_square(counts: Counter[int], expected: Sequence[float]) -> float:
    """Pearson's statistic over the endpoints 0, 1, 2, …"""
    return sum((counts[at] - want) ** 2 / want for at, want in enumerate(expected) if want)
