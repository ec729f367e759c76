"""Random budgets, small buffers and reused descriptors: no flow stalls, no bytes cross over."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plane_rig import connect, proxy, read_all, read_exactly, reset, run_in, server, until

from podway_proxy import Limits

pytestmark = pytest.mark.live

BLOB = random.Random(5).randbytes(2_000_000)


async def churn(rng: random.Random, limits: Limits, pipes: int, count: int) -> None:
    """Open and end connections at random, each echoing bytes that are its own."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(8)

    async def serve(sock: socket.socket) -> None:
        if rng.random() < 0.5:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 150_000)
        try:
            while data := await loop.sock_recv(sock, rng.randrange(1, 200_000)):
                await loop.sock_sendall(sock, data)
        except (ConnectionResetError, BrokenPipeError):
            return

    async def client(seed: int) -> None:
        mine = random.Random(seed)
        start = mine.randrange(len(BLOB) - 400_000)
        data = BLOB[start : start + mine.choice((1, 5_000, 70_000, 400_000))]
        async with gate:
            with await connect(front.address) as sock:
                if mine.random() < 0.5:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 150_000)
                if mine.random() < 0.2:
                    await loop.sock_sendall(sock, data[:1_000])
                    reset(sock)
                    return
                got, _ = await asyncio.gather(
                    read_exactly(sock, len(data)), loop.sock_sendall(sock, data)
                )
                assert got == data
                sock.shutdown(socket.SHUT_WR)
                assert await read_all(sock) == b""

    async with server(serve) as address, proxy(address, limits=limits, pipes=pipes) as front:
        await asyncio.gather(*(client(rng.randrange(1 << 30)) for _ in range(count)))
        await until(lambda: len(front.closed) == count, "every relay to end")
        assert not front.plane._queue or front.plane._armed


@given(
    seed=st.integers(0, 1 << 30),
    turn=st.sampled_from((1, 4_096, 65_536, 70_000, 1 << 22)),
    batch=st.sampled_from((1, 2, 64)),
    pipes=st.integers(0, 3),
    loop=st.sampled_from(("asyncio", "uvloop")),
)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_no_stall_and_no_cross_talk_under_random_budgets(
    seed: int, turn: int, batch: int, pipes: int, loop: str
) -> None:
    limits = Limits(turn_bytes=turn, accept_batch=batch)
    run_in(loop, churn(random.Random(seed), limits, pipes, 40))
