from __future__ import annotations

import subprocess
import sys
from collections import Counter

from endpoints import chi_square, order, picks, weighted

from podway_proxy.balance.source import Source

CLIENTS = [f"10.{a}.{b}.{c}" for a in (0, 7) for b in range(20) for c in range(100)]


def placed(balancer: Source) -> dict[str, int]:
    return {client: picks(balancer, 1, client)[0] for client in CLIENTS}


def test_the_same_client_gets_the_same_endpoint() -> None:
    balancer = Source(weighted(1, 1, 1, 1))
    assert placed(balancer) == placed(balancer) == placed(Source(weighted(1, 1, 1, 1)[::-1]))


def test_another_process_agrees() -> None:
    program = (
        "from podway_proxy.balance.source import Source; from podway_proxy.values import Endpoint\n"
        "s = Source([(Endpoint('10.0.0.1', 1000 + n), 1 + n) for n in range(9)])\n"
        "print([e.port - 1000 for e in s.candidates('192.0.2.77')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == str(order(Source(weighted(*range(1, 10))), "192.0.2.77"))


def test_one_that_goes_takes_only_its_own_clients() -> None:
    before, after = placed(Source(weighted(3, 1, 2, 2))), placed(Source(weighted(3, 1, 2)))
    assert all(after[client] == at for client, at in before.items() if at != 3)
    assert all(
        order(Source(weighted(3, 1, 2, 2)), c)[1] == after[c]
        for c in CLIENTS[:50]
        if before[c] == 3
    )


def test_a_changed_weight_moves_clients_to_or_from_that_endpoint_only() -> None:
    before, after = placed(Source(weighted(3, 1, 2, 2))), placed(Source(weighted(3, 4, 2, 2)))
    moved = {client for client in CLIENTS if before[client] != after[client]}
    assert moved
    assert all(after[client] == 1 for client in moved)


def test_shares_are_those_of_the_weights() -> None:
    # Below the 99.9 % bounds of chi-square with 9 and 3 degrees of freedom.
    equal = Counter(placed(Source(weighted(*[1] * 10))).values())
    assert chi_square(equal, [len(CLIENTS) / 10] * 10) < 27.9
    uneven = Counter(placed(Source(weighted(1, 2, 3, 4))).values())
    assert chi_square(uneven, [len(CLIENTS) / 10 * weight for weight in (1, 2, 3, 4)]) < 16.3


def test_forgetting_clients_moves_none() -> None:
    balancer = Source(weighted(1, 1, 1))
    first = placed(balancer)
    assert len(CLIENTS) > 1_024
    assert placed(balancer) == first
