from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.pool import Pool
from podway_proxy.plane.plane import Plane
from podway_proxy.values import Endpoint

ONE = Endpoint("127.0.0.1", 1)
TWO = Endpoint("127.0.0.1", 2)


class Bench:
    """A pool on a plane without a loop, and connections made of socket pairs."""

    def __init__(self, per_endpoint: int = 2, idle_timeout: float = 30.0) -> None:
        self.plane = Plane()
        self.pool = Pool(self.plane, per_endpoint, idle_timeout)
        self.socks: list[socket.socket] = []

    def connection(self, endpoint: Endpoint = ONE) -> EndpointConnection:
        mine, other = socket.socketpair()
        mine.setblocking(False)
        self.socks += [mine, other]
        return EndpointConnection(self.plane, mine, endpoint, self, self.pool)

    def on_endpoint(self, mask: int) -> None:
        raise AssertionError(f"an edge {mask} of a kept connection is the pool's affair")


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.pool.close()
    for sock in made.socks:
        sock.close()


def test_the_one_used_last_is_used_next(bench: Bench) -> None:
    first, second = bench.connection(), bench.connection()
    bench.pool.put(first)
    bench.pool.put(second)
    assert bench.pool.take(ONE) is second
    assert bench.pool.take(ONE) is first
    assert bench.pool.take(ONE) is None
    assert first.used


def test_endpoints_are_apart_and_names_do_not_matter(bench: Bench) -> None:
    bench.pool.put(bench.connection(ONE))
    assert bench.pool.take(TWO) is None
    assert bench.pool.take(ONE._replace(name="pod")) is not None


def test_no_more_than_the_cap_are_kept(bench: Bench) -> None:
    made = [bench.connection() for _ in range(3)]
    for connection in made:
        bench.pool.put(connection)
    assert len(bench.pool) == 2
    assert made[2].sock.fileno() == -1


def test_one_that_ends_while_it_is_kept_is_dropped(bench: Bench) -> None:
    connection = bench.connection()
    bench.pool.put(connection)
    bench.pool.drop(connection)
    assert len(bench.pool) == 0
    assert connection.sock.fileno() == -1


def test_a_kept_one_is_stale_when_its_peer_has_spoken_or_gone(bench: Bench) -> None:
    connection, other = bench.connection(), bench.socks[1]
    assert not connection.stale()
    other.send(b"x")
    assert connection.stale()
    connection.sock.recv(1)
    assert not connection.stale()
    other.close()
    assert connection.stale()


def test_old_ones_go_and_young_ones_stay(bench: Bench) -> None:
    old, young = bench.connection(), bench.connection(TWO)
    bench.pool.put(old)
    bench.plane.now += 31
    bench.pool.put(young)
    bench.pool.on_deadline()
    assert bench.pool.take(ONE) is None
    assert bench.pool.take(TWO) is young
