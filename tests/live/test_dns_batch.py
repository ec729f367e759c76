"""Batches of datagrams through the kernel: what was sent is read, each answer gets its own id."""

from __future__ import annotations

import socket

import pytest
from dns_daemon import wait_until

from podway_dns.mmsg import FRONT, MESSAGE, SLOTS, Batch

pytestmark = pytest.mark.live

LENGTHS = (0, 1, 2, 12, FRONT - 1, FRONT, FRONT + 1, MESSAGE)
WAYS = [
    (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
    (socket.AF_INET, "0.0.0.0", "127.0.3.9"),
    (socket.AF_INET6, "::1", "::1"),
    (socket.AF_INET6, "::", "::1"),
]


@pytest.mark.parametrize(("family", "bound", "asked"), WAYS)
def test_datagrams_of_every_length(family: socket.AddressFamily, bound: str, asked: str) -> None:
    sent = [bytes((n + 1,)) * length for n, length in enumerate(LENGTHS)]
    with (
        socket.socket(family, socket.SOCK_DGRAM) as server,
        socket.socket(family, socket.SOCK_DGRAM) as client,
    ):
        server.bind((bound, 0))
        client.connect((asked, server.getsockname()[1]))
        client.settimeout(5)
        batch = Batch(server)
        for _ in range(2):  # the second time over what the first has left
            for data in reversed(sent):
                client.send(data)
            count = receive(batch, len(sent))
            questions = batch.questions(count)
            assert questions == [data[2:] for data in reversed(sent)]
            assert batch.send([b"r" + one for one in questions[:-2]] + [b"", b""]) == 0
            answers = [client.recv(2000) for _ in questions[:-2]]
            assert answers == [data[:2] + b"r" + data[2:] for data in reversed(sent[2:])]


def test_more_than_a_batch_holds_waits_for_the_next() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        server.bind(("127.0.0.1", 0))
        client.connect(server.getsockname())
        batch = Batch(server)
        for n in range(SLOTS + 3):
            client.send(b"id%d" % n)
        found = []
        for most in (SLOTS, 3):
            found += batch.questions(receive(batch, most))
        assert found == [b"%d" % n for n in range(SLOTS + 3)]
        assert batch.receive() == 0


def receive(batch: Batch, most: int) -> int:
    counts: list[int] = []
    wait_until(lambda: counts.append(batch.receive()) or counts[-1], f"{most} datagrams")
    assert counts[-1] == most
    return counts[-1]
