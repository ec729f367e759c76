"""Choose among endpoints: the four policies of a Route, each giving ordered candidates.

A balancer belongs to one set of endpoints in one worker. When the set changes, a new one is made
that takes over the state of the endpoints that stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from podway_proxy.balance.balancer import Balancer, InOrder, Weighted, WithLastResort
from podway_proxy.balance.leastconn import LeastConn
from podway_proxy.balance.load import Load
from podway_proxy.balance.random_two import RandomTwo
from podway_proxy.balance.rotation import Rotation, rotate
from podway_proxy.balance.smooth import SmoothWeighted

__all__ = ["POLICIES", "Balancer", "Weighted", "make"]

POLICIES: Final = ("roundrobin", "leastconn", "source", "random")
"""What the annotation `haproxy.router.openshift.io/balance` takes."""


def make(
    policy: str,
    endpoints: Sequence[Weighted],
    load: Load,
    random: Random,
    previous: Balancer | None = None,
    zero_last: bool = False,
) -> Balancer:
    """Make a balancer of one of `POLICIES` over (endpoint, weight) pairs.

    Weight 0 is never chosen, or with `zero_last` only after all others have failed. `previous` is
    the balancer that this one replaces, of any policy: a round robin that follows one of its kind
    (equal weights or not) goes on with the turns of the endpoints that stay; the state of the
    others is the load. `random` also decides where a fresh rotation begins. ValueError: an
    unknown policy, or a negative weight.
    """
    if policy not in POLICIES:
        raise ValueError(f"balance policy {policy!r}: must be one of {', '.join(POLICIES)}")
    if any(weight < 0 for _, weight in endpoints):
        raise ValueError("a weight is negative: weights count from 0")
    if isinstance(previous, WithLastResort):
        previous = previous.chosen
    balancer = _choose(policy, [each for each in endpoints if each[1]], load, random, previous)
    last = [endpoint for endpoint, weight in endpoints if not weight] if zero_last else ()
    return WithLastResort(balancer, last) if last else balancer


def _choose(
    policy: str, endpoints: list[Weighted], load: Load, random: Random, previous: Balancer | None
) -> Balancer:
    """Make a balancer over endpoints of a weight above 0."""
    if len(endpoints) < 2:
        return InOrder([endpoint for endpoint, _ in endpoints])
    if policy == "source":
        # Here, since it brings hashlib: 1.5 ms of every worker's start where nothing asks for it.
        from podway_proxy.balance.source import Source

        return Source(endpoints)
    if policy == "random":
        return RandomTwo(endpoints, load, random)
    if policy == "leastconn":
        return LeastConn(endpoints, load, random.randrange(len(endpoints)))
    return _roundrobin(endpoints, random, previous)


def _roundrobin(
    endpoints: list[Weighted], random: Random, previous: Balancer | None
) -> Rotation | SmoothWeighted:
    """Make the cheaper of the two kinds of round robin that gives the weights their shares."""
    if len({weight for _, weight in endpoints}) == 1:
        turn = previous if isinstance(previous, Rotation) else None
        return rotate([each for each, _ in endpoints], turn, random.randrange(len(endpoints)))
    if isinstance(previous, SmoothWeighted):
        total = sum(weight for _, weight in endpoints)
        return SmoothWeighted(endpoints, previous.credit_for(total))
    fresh = SmoothWeighted(endpoints, {})
    fresh.skip(random.randrange(len(endpoints)))
    return fresh
