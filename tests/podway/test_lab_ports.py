from __future__ import annotations

import socket

import pytest

from podway.lab.ports import TakenError, Wanted, choose, first_taken, refusal

HOST = "127.77.1.1"


@pytest.fixture
def taken() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.listen()
        yield sock.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


def test_a_taken_port_is_passed_over(taken: int, free: int) -> None:
    assert choose(Wanted([HOST], (taken, free))) == (free, f"{HOST}:{taken} is taken")
    assert choose(Wanted([HOST], (free, taken))) == (free, "")


def test_a_port_must_be_free_on_every_host(taken: int, free: int) -> None:
    assert choose(Wanted(["127.77.1.2", HOST], (taken, free)))[0] == free


def test_all_taken_says_which_and_why(taken: int) -> None:
    with pytest.raises(TakenError, match=f"{HOST}:{taken} is taken"):
        choose(Wanted([HOST], (taken,)))


def test_udp_is_asked_for_too() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        port = sock.getsockname()[1]
        assert refusal(HOST, port) == ""
        assert "taken" in refusal(HOST, port, udp=True)


def test_the_first_taken_address_is_named(taken: int, free: int) -> None:
    assert first_taken([(HOST, free), (HOST, taken)]) == f"{HOST}:{taken} is taken"
    assert first_taken([(HOST, free)]) == ""
