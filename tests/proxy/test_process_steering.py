from __future__ import annotations

import select
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from podway_proxy.process.sockets import bind
from podway_proxy.process.spec import ListenerSpec
from podway_proxy.process.steering import program

ANY = ListenerSpec("x", "127.0.0.1", 0, client_first=False, steered=True)


@contextmanager
def group(spec: ListenerSpec, count: int) -> Iterator[list[socket.socket]]:
    sockets = bind(spec, count)
    try:
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


def reached(sockets: list[socket.socket], source: str) -> int:
    """Connect from that address; tell which socket has the connection."""
    with socket.socket(sockets[0].family) as client:
        client.bind((source, 0))
        client.connect(sockets[0].getsockname()[:2])
        (ready,), _, _ = select.select([each for each in sockets if each.fileno() >= 0], [], [], 5)
        ready.accept()[0].close()
        return sockets.index(ready)


def test_a_client_comes_to_the_same_socket_each_time_and_all_sockets_have_clients() -> None:
    sources = [f"127.0.{n % 3}.{n}" for n in range(1, 97)]
    with group(ANY, 3) as sockets:
        found = [{reached(sockets, source) for _ in range(3)} for source in sources]
        assert all(len(each) == 1 for each in found)
        counts = Counter(each.pop() for each in found)
        assert sorted(counts) == [0, 1, 2]
        assert min(counts.values()) > 10


def test_where_the_chosen_socket_is_gone_another_one_takes_the_client() -> None:
    with group(ANY, 3) as sockets:
        sockets[2].close()
        found = {reached(sockets, f"127.0.0.{n}") for n in range(1, 40)}
        assert found == {0, 1}


def test_ipv6() -> None:
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    with group(ANY._replace(host="::1"), 4) as sockets:
        assert len({reached(sockets, "::1") for _ in range(20)}) == 1


def test_one_socket_needs_no_program() -> None:
    with group(ANY, 1) as sockets:
        assert reached(sockets, "127.0.0.9") == 0


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_program_ends_with_a_number_below_the_count(family: int) -> None:
    steps = program(family, 7)
    assert steps[-2:] == ((0x94, 7), (0x16, 0))
    assert all(0 <= operand < 2**32 for _, operand in steps)
