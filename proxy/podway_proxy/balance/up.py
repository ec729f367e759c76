"""Which endpoints a balancer is made of while some are down."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from podway_proxy.balance.balancer import Weighted
from podway_proxy.values import Address

DOWN: Final = "down/"
"""How the keys of the loader's entries begin that name endpoints which fail their checks."""


def down_addresses(keys: Iterable[str]) -> frozenset[Address]:
    """Give the endpoints named by the entries' keys `down/<host>:<port>` among others."""
    named = (key.removeprefix(DOWN).rpartition(":") for key in keys if key.startswith(DOWN))
    return frozenset((host, int(port)) for host, _, port in named)


def alive(endpoints: Sequence[Weighted], down: Collection[Address]) -> Sequence[Weighted]:
    """Leave out the endpoints that are down; if none would be left to choose, leave out none.

    Fails open, as AWS's NLB does (reference l4.md): when everything looks down, the checks are
    the likelier liar, and a refused connection is no worse than none tried. Endpoints of weight 0
    are never chosen, so they don't count as left.
    """
    if not down:
        return endpoints
    left = [each for each in endpoints if (each[0].host, each[0].port) not in down]
    return left if any(weight > 0 for _, weight in left) else endpoints
