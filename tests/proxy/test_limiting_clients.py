"""What HAProxy 2.6 does with OpenShift's rules is in tests/live/test_router_limits_haproxy.py."""

from __future__ import annotations

import os

from podway_proxy.limiting.clients import Clients, Rules
from podway_proxy.limiting.table import Table, create


class Client:
    def __init__(self, rules: Rules, table: Table | None = None) -> None:
        self.clients = Clients(table or Table(cells=1024))
        self.rules = rules
        self.key = self.clients.key("shop/web", "10.0.0.1")

    def come(self, now: float = 100.0, *, http: bool = True) -> bool:
        return not self.clients.refusal(self.key, self.rules, now, http=http)

    def come_and_stay(self) -> bool:
        return self.come() and self.clients.began(self.key)


def test_one_less_than_the_limit_at_once() -> None:
    client = Client(Rules(concurrent=3))
    assert [client.come_and_stay() for _ in range(4)] == [True, True, False, False]
    client.clients.ended(client.key)
    assert [client.come_and_stay() for _ in range(2)] == [True, False]


def test_one_less_than_the_rate_of_connections() -> None:
    client = Client(Rules(connections=3))
    assert [client.come() for _ in range(4)] == [True, True, False, False]


def test_refused_connections_count() -> None:
    client = Client(Rules(connections=5))
    allowed = [client.come(100 + n * 0.2) for n in range(40)]
    assert allowed == [True] * 4 + [False] * 36
    assert client.come(115)


def test_as_many_requests_as_the_rate() -> None:
    client = Client(Rules(requests=3))
    assert [client.come() for _ in range(5)] == [True] * 3 + [False] * 2
    assert client.come(http=False)


def test_refused_requests_do_not_count() -> None:
    client = Client(Rules(requests=5))
    shown = "".join(".x"[not client.come(100 + n * 0.401)] for n in range(60))
    assert shown == ".....xxxxxxxxxxxxxxxxxxxx.xxxx.xxxx.xxxx.xxxx.xxxx.xxxx.xxxx"


def test_a_limit_of_one_lets_nobody_in_save_for_requests() -> None:
    assert not Client(Rules(concurrent=1)).come()
    assert not Client(Rules(connections=1)).come()
    assert Client(Rules(requests=1)).come()
    assert not Client(Rules(requests=0)).come()


def test_other_clients_and_other_routes_are_counted_apart() -> None:
    client = Client(Rules(requests=1))
    assert [client.come(), client.come()] == [True, False]
    for route, address in (("shop/web", "10.0.0.2"), ("shop/api", "10.0.0.1")):
        client.key = client.clients.key(route, address)
        assert client.come()


def test_limits_hold_over_the_workers() -> None:
    fd = create(2, 1024)
    tables = [Table(fd, row) for row in (0, 1)]
    for row in (0, 1):
        tables[0].open(row)
    for rules, most in (
        (Rules(concurrent=6), 5),
        (Rules(connections=6), 5),
        (Rules(requests=6), 6),
    ):
        pair = [Client(rules, table) for table in tables]
        for one in pair:
            one.key = one.clients.key(str(rules), "10.0.0.1")
        assert sum(pair[n % 2].come_and_stay() for n in range(20)) == most
    os.close(fd)
