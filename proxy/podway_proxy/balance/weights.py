"""Divide services' weights among their endpoints (reference route-api.md section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm


def split_weights(services: Sequence[tuple[int, int]]) -> list[int]:
    """Give the weight of each endpoint of each service, from (weight, number of endpoints).

    Exact: endpoints of service i together get weight_i / sum(weights of those with endpoints).
    The anchor scales to 0..256 and rounds up to 1, so that there a service of weight 1 with 1,000
    endpoints beside one of weight 256 with one gets 80 % of the traffic; our balancers take any
    integer, so nothing is rounded: the weights are the fractions weight/number over their common
    denominator. A service without endpoints or of weight 0 gets 0.
    """
    serving = [count for weight, count in services if weight > 0 and count > 0]
    common = lcm(*serving)
    weights = [weight * common // count if count else 0 for weight, count in services]
    divisor = gcd(*weights) or 1
    return [weight // divisor for weight in weights]
