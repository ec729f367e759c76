from __future__ import annotations

import asyncio
import os
import socket

from plane_rig import until

from podway_proxy import Listener, Plane
from podway_proxy.counters import Counters, create
from podway_proxy.log import Log
from podway_proxy.room import SILENCE, Room
from podway_proxy.values import Address


class Worker:
    """A plane with one listener that holds what it accepts, counted in a gauge."""

    def __init__(self, fd: int, index: int, most: int) -> None:
        self.counters = Counters(fd, index, ("connections",))
        self.plane = Plane()
        self.plane.attach(asyncio.get_running_loop())
        self.room = Room(
            self.plane,
            Log("test", fd=os.open(os.devnull, os.O_WRONLY)),
            self.counters,
            ("connections",),
            most,
        )
        self.held: list[socket.socket] = []
        self.listener = Listener(self.plane, socket.create_server(("127.0.0.1", 0)), self.take)
        self.where: Address = self.listener.sock.getsockname()
        self.room.add(self.listener)

    def take(self, sock: socket.socket, _: Address) -> None:
        self.held.append(sock)
        self.counters[0] += 1
        self.room.took()

    def let_go(self) -> None:
        self.held.pop().close()
        self.counters[0] -= 1

    def close(self) -> None:
        while self.held:
            self.let_go()
        os.close(self.room._log.fd)
        self.room.remove(self.listener)
        self.listener.drain()
        self.plane.detach()


def clients(where: Address, number: int) -> list[socket.socket]:
    return [socket.create_connection(where) for _ in range(number)]


async def test_the_next_client_waits_until_one_leaves() -> None:
    fd = create(2)
    worker = Worker(fd, 0, most=3)
    outside = clients(worker.where, 5)
    await until(lambda: worker.room.full, "no room")
    assert len(worker.held) == 3
    worker.let_go()
    await until(lambda: len(worker.held) == 3, "one of those who wait comes in")
    worker.let_go()
    await until(lambda: len(worker.held) == 3, "the other one too")
    for sock in outside:
        sock.close()
    worker.close()
    os.close(fd)


async def test_the_clients_of_other_workers_count() -> None:
    fd = create(2)
    worker, sibling = Worker(fd, 0, most=2), Counters(fd, 1, ("connections",))
    sibling[0] += 1
    outside = clients(worker.where, 2)
    await until(lambda: worker.room.full, "no room")
    assert len(worker.held) == 1
    sibling[0] -= 1
    await until(lambda: len(worker.held) == 2, "the sibling's client has left")
    for sock in outside:
        sock.close()
    worker.close()
    os.close(fd)


async def test_a_worker_takes_no_more_than_its_descriptors_are_enough_for() -> None:
    fd = create(1)
    worker = Worker(fd, 0, most=50_000)
    worker.room.here = 2
    outside = clients(worker.where, 3)
    await until(lambda: worker.room.full, "no room")
    assert len(worker.held) == 2
    worker.let_go()
    await until(lambda: len(worker.held) == 2, "the one who waits comes in")
    for sock in outside:
        sock.close()
    worker.close()
    os.close(fd)


async def test_a_lack_of_descriptors_is_logged_once_in_a_while() -> None:
    reader, writer = os.pipe()
    plane = Plane()
    room = Room(plane, Log("d", fd=writer), Counters(), ("connections",), 1)
    for _ in range(100):
        room.starved()
    plane.now += SILENCE
    room.starved()
    os.close(writer)
    with os.fdopen(reader) as log:
        lines = log.readlines()
    assert len(lines) == 2
    assert "ulimit -Hn" in lines[0]
