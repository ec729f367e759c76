from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys

import pytest
from plane_rig import closed_port, connect, echo, proxy, read_all, read_exactly, server, until

from podway_proxy import Limits, Listener, Plane

pytestmark = pytest.mark.live

STARVED = """
import asyncio, json, resource, socket, sys, time
from podway_proxy import Listener, Plane

resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

async def main():
    plane = Plane()
    loop = asyncio.get_running_loop()
    plane.attach(loop)
    held, wakes = [], 0
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    listener = Listener(plane, listening, lambda sock, peer: held.append(sock))
    poll = plane._on_events
    def counted():
        nonlocal wakes
        wakes += 1
        poll()
    loop.remove_reader(plane._epoll.fileno())
    loop.add_reader(plane._epoll.fileno(), counted)
    print(listening.getsockname()[1], flush=True)
    while not plane.tally.row[plane.tally.exhausted]:
        await asyncio.sleep(0.01)
    rests = plane.tally.row[plane.tally.exhausted]
    before, used = wakes, time.process_time()
    await asyncio.sleep(1.0)
    spun, used = wakes - before, time.process_time() - used
    rests = plane.tally.row[plane.tally.exhausted] - rests
    served = 0
    while served < 100:
        while held:
            sock = held.pop()
            sock.send(b"served")
            sock.close()
            served += 1
        await asyncio.sleep(0.01)
    print(json.dumps({"spun": spun, "used": used, "rests": rests}), flush=True)

asyncio.run(main())
"""


def test_out_of_descriptors_it_rests_and_recovers_and_loses_nobody() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARVED], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        try:
            port = int(child.stdout.readline())
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
            for client in clients:
                client.settimeout(20)
                assert client.recv(100) == b"served"
                client.close()
            seen = json.loads(child.stdout.readline())
        finally:
            child.kill()
    # Each of the 100 clients may wake it once as it arrives; a busy loop wakes 10,000 times.
    assert seen["spun"] < 200, "wake-ups in a second without descriptors"
    assert 1 <= seen["rests"] <= 20, "a look at each tick"
    assert seen["used"] < 0.5


async def test_a_burst_larger_than_a_batch_is_all_accepted() -> None:
    limits = Limits(accept_batch=3)
    async with server(echo) as address, proxy(address, limits=limits) as front:
        clients = [await connect(front.address) for _ in range(40)]
        for client in clients:
            await asyncio.get_running_loop().sock_sendall(client, b"ping")
            assert await read_exactly(client, 4) == b"ping"
            client.close()


async def test_a_paused_listener_leaves_its_queue_for_later() -> None:
    async with server(echo) as address, proxy(address) as front:
        front.listener.pause()
        with await connect(front.address) as sock:
            await asyncio.get_running_loop().sock_sendall(sock, b"ping")
            await asyncio.sleep(0.02)
            assert front.front.active == 0
            front.listener.resume()
            assert await read_exactly(sock, 4) == b"ping"


async def test_a_drained_listener_serves_its_queue_and_refuses_who_comes_later() -> None:
    async with server(echo) as address, proxy(address) as front:
        front.listener.pause()
        clients = [await connect(front.address) for _ in range(100)]
        front.listener.drain()
        with pytest.raises(ConnectionRefusedError):
            await connect(front.address)
        for client in clients:
            await asyncio.get_running_loop().sock_sendall(client, b"ping")
            assert await read_exactly(client, 4) == b"ping"
            client.close()


async def test_a_fault_with_one_connection_leaves_the_others_in_the_queue_alone() -> None:
    plane = Plane()
    loop = asyncio.get_running_loop()
    errors: list[object] = []
    accepted: list[socket.socket] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    plane.attach(loop)

    def accept(sock: socket.socket, peer: tuple[str, int]) -> None:
        accepted.append(sock)
        raise ZeroDivisionError(peer)

    listening = socket.create_server(("127.0.0.1", 0))
    Listener(plane, listening, accept)
    clients = [await connect(listening.getsockname()) for _ in range(5)]
    await until(lambda: len(accepted) == len(errors) == 5)
    for sock in (*clients, *accepted):
        sock.close()
    plane.close(listening)
    plane.detach()


async def test_accepted_sockets_inherit_nodelay() -> None:
    seen: list[int] = []

    def decide(*_: object) -> None:
        raise AssertionError

    async with proxy(closed_port(), decide=decide) as front:
        nodelay = front.listener.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        accept = front.front.accept

        def look(sock: socket.socket, peer: tuple[str, int]) -> None:
            seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            sock.close()

        front.listener._on_accept = look
        with await connect(front.address) as sock:
            assert await read_all(sock) == b""
        front.listener._on_accept = accept
        assert nodelay
        assert all(seen)
