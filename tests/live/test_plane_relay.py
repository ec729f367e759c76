from __future__ import annotations

import asyncio
import fcntl
import hashlib
import random
import socket
import termios
from typing import NamedTuple

import pytest
from plane_rig import (
    connect,
    echo,
    proxy,
    read_all,
    read_exactly,
    reset,
    run_in,
    server,
    until,
)

from podway_proxy import Limits
from podway_proxy.plane.tunnel import Tunnel

pytestmark = pytest.mark.live

BLOB = random.Random(1).randbytes(8_000_000)
NAME = 4


class Plan(NamedTuple):
    """One transfer: slices of the blob each way, and who waits for whose end before its own."""

    up: slice
    down: slice
    waits: str


def plan(rng: random.Random) -> Plan:
    def part() -> slice:
        size = rng.choice((0, 1, rng.randrange(3_000), rng.randrange(200_000)))
        if rng.random() < 0.05:
            size = rng.randrange(3_000_000)
        start = rng.randrange(len(BLOB) - size)
        return slice(start, start + size)

    return Plan(part(), part(), rng.choice(("neither", "neither", "client", "server")))


def digest(data: bytes) -> str:
    return hashlib.blake2b(data).hexdigest()


async def exchange(sock: socket.socket, data: bytes, waits: bool) -> str:
    """Send and read at once, or send only after the other side has ended; give what came."""
    loop = asyncio.get_running_loop()

    async def send() -> None:
        if waits:
            await other
        await loop.sock_sendall(sock, data)
        sock.shutdown(socket.SHUT_WR)

    other = loop.create_task(read_all(sock))
    await asyncio.gather(other, send())
    return digest(other.result())


async def transfers(count: int, pipes: int) -> list[tuple[str, int, int]]:
    """Do many, and give how they ended, sorted."""
    rng = random.Random(count)
    plans = [plan(rng) for _ in range(count)]
    served: dict[int, str] = {}
    gate = asyncio.Semaphore(40)

    async def serve(sock: socket.socket) -> None:
        index = int.from_bytes(await read_exactly(sock, NAME), "big")
        served[index] = await exchange(
            sock, BLOB[plans[index].down], plans[index].waits == "server"
        )

    async def client(index: int) -> None:
        async with gate:
            with await connect(front.address) as sock:
                await asyncio.get_running_loop().sock_sendall(sock, index.to_bytes(NAME, "big"))
                up = plans[index]
                got = await exchange(sock, BLOB[up.up], up.waits == "client")
                assert got == digest(BLOB[up.down])

    async with server(serve) as address, proxy(address, pipes=pipes) as front:
        await asyncio.gather(*(client(index) for index in range(count)))
        await until(lambda: len(front.closed) == count, "every relay to end")
        await until(lambda: len(served) == count, "the servers to have read all")
        assert {closed.how for closed in front.closed} == {"done"}
        assert sum(closed.to_server for closed in front.closed) == sum(
            NAME + plan.up.stop - plan.up.start for plan in plans
        )
        assert front.plane.tally.row[front.plane.tally.spliced] > 1_000_000 or not pipes
    for index, transfer in enumerate(plans):
        assert served[index] == digest(BLOB[transfer.up])
    return sorted((closed.how, closed.to_server, closed.to_client) for closed in front.closed)


@pytest.mark.parametrize(
    ("loop", "count", "pipes"), [("uvloop", 1_000, 16), ("asyncio", 200, 2), ("uvloop", 100, 0)]
)
def test_random_transfers_both_ways_with_random_half_closes_arrive_whole(
    loop: str, count: int, pipes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = run_in(loop, transfers(count, pipes))
    relays_only(monkeypatch)
    assert run_in(loop, transfers(count, pipes)) == ended


def relays_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a relay copy from the first byte on, where a trickle would do."""

    def relay(self: Tunnel, drained: bool) -> None:
        self.relay(drained=drained)

    monkeypatch.setattr(Tunnel, "trickle", relay)


@pytest.fixture(params=["trickle", "relay"])
def both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Show something of both ways to copy."""
    if request.param == "relay":
        relays_only(monkeypatch)


@pytest.mark.usefixtures("both")
async def test_data_after_the_clients_fin_still_comes_back() -> None:
    async def serve(sock: socket.socket) -> None:
        request = await read_all(sock)
        for part in (request[:3], request[3:], b"!" * 100_000):
            await asyncio.get_running_loop().sock_sendall(sock, part)

    async with server(serve) as address, proxy(address) as front:
        with await connect(front.address) as sock:
            await asyncio.get_running_loop().sock_sendall(sock, b"abcdef")
            sock.shutdown(socket.SHUT_WR)
            assert await read_all(sock) == b"abcdef" + b"!" * 100_000


async def stalled(sent: list[int]) -> None:
    """Wait until the sender has got nowhere in many looks in a row."""
    quiet = before = 0
    while quiet < 30:
        await asyncio.sleep(0.01)
        quiet = quiet + 1 if len(sent) == before else 0
        before = len(sent)


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("pipes", [16, 0])
async def test_a_slow_reader_stops_the_sender_and_loses_nothing(pipes: int) -> None:
    loop = asyncio.get_running_loop()
    block, blocks = BLOB[:1_000_000], 60
    sent: list[int] = []

    async def serve(sock: socket.socket) -> None:
        for _ in range(blocks):
            await loop.sock_sendall(sock, block)
            sent.append(1)

    async with server(serve) as address, proxy(address, pipes=pipes) as front:
        with await connect(front.address) as sock:
            await stalled(sent)
            assert len(sent) < 40, "held: the kernel's buffers and one pipe, not the whole"
            (tunnel,) = front.front.parts
            assert tunnel._relay.down.pending <= 1_048_576
            have, want = hashlib.blake2b(), hashlib.blake2b(block * blocks)
            while part := await loop.sock_recv(sock, 262_144):
                have.update(part)
            assert have.digest() == want.digest()


async def ends_in_reset(sock: socket.socket) -> bool:
    """Read to the end: did the connection fail, rather than end cleanly?"""
    with pytest.raises(ConnectionResetError):
        await read_all(sock)
    return True


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("before", [b"", b"x" * 100_000])
async def test_a_clients_reset_reaches_the_server_as_a_reset(before: bytes) -> None:
    seen: list[bool] = []
    started = asyncio.Event()

    async def serve(sock: socket.socket) -> None:
        assert await read_exactly(sock, 2 + len(before)) == b"go" + before
        started.set()
        seen.append(await ends_in_reset(sock))

    async with server(serve) as address, proxy(address) as front:
        sock = await connect(front.address)
        await asyncio.get_running_loop().sock_sendall(sock, b"go" + before)
        await started.wait()
        reset(sock)
        await until(lambda: bool(seen))
        await until(lambda: [closed.how for closed in front.closed] == ["client-reset"])


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("before", [b"", b"x" * 3_000_000])
async def test_a_servers_reset_reaches_the_client_after_what_came_before(before: bytes) -> None:
    loop = asyncio.get_running_loop()

    async def serve(sock: socket.socket) -> None:
        await loop.sock_sendall(sock, before)
        await read_exactly(sock, 2)
        reset(sock)

    async with server(serve) as address, proxy(address) as front:
        with await connect(front.address) as sock:
            assert await read_exactly(sock, len(before)) == before
            await loop.sock_sendall(sock, b"go")
            assert await ends_in_reset(sock)
        await until(lambda: [closed.how for closed in front.closed] == ["server-reset"])


@pytest.mark.usefixtures("both")
async def test_what_a_server_sent_before_its_reset_is_not_lost_on_a_slow_client() -> None:
    loop = asyncio.get_running_loop()
    taken = BLOB[:300_000]

    async def serve(sock: socket.socket) -> None:
        await loop.sock_sendall(sock, taken)
        # Unread bytes make the kernel send RST at close; what it has sent has arrived by now.
        await until(lambda: unsent(sock) == 0)
        await loop.sock_recv(sock, 1)

    async with server(serve) as address, proxy(address) as front:
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
            sock.setblocking(False)
            await loop.sock_connect(sock, front.address)
            await loop.sock_sendall(sock, b"unread")
            await until(lambda: front.plane.tally.row[front.plane.tally.relayed] == 1)
            assert await read_exactly(sock, len(taken)) == taken
            assert await ends_in_reset(sock)


def unsent(sock: socket.socket) -> int:
    return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), "little")


@pytest.mark.usefixtures("both")
async def test_a_reset_after_the_fin_of_the_same_side_cuts_the_other_one() -> None:
    loop = asyncio.get_running_loop()
    seen: list[bool] = []
    half = asyncio.Event()

    async def serve(sock: socket.socket) -> None:
        assert await read_all(sock) == b"go"
        half.set()
        await until(lambda: bool(front.closed))
        # Who has read a FIN reads it again after a RST: the kernel tells those who write.
        with pytest.raises(BrokenPipeError):
            await loop.sock_sendall(sock, b"answer")
        seen.append(True)

    async with server(serve) as address, proxy(address) as front:
        sock = await connect(front.address)
        await loop.sock_sendall(sock, b"go")
        sock.shutdown(socket.SHUT_WR)
        await half.wait()
        reset(sock)
        await until(lambda: bool(seen))
        assert front.closed[0].how == "client-reset"


@pytest.mark.usefixtures("both")
async def test_an_idle_relay_is_cut_and_says_so() -> None:
    async with server(echo) as address, proxy(address, forward={"idle_timeout": 0.3}) as front:
        with await connect(front.address) as sock:
            await asyncio.get_running_loop().sock_sendall(sock, b"ping")
            assert await read_exactly(sock, 4) == b"ping"
            assert await ends_in_reset(sock)
        assert [closed.how for closed in front.closed] == ["idle"]


@pytest.mark.usefixtures("both")
async def test_a_half_closed_relay_without_traffic_is_cut_at_the_fin_timeout() -> None:
    async def serve(sock: socket.socket) -> None:
        await read_all(sock)
        await until(lambda: bool(front.closed))

    limits = Limits(fin_timeout=0.3)
    async with server(serve) as address, proxy(address, limits=limits) as front:
        with await connect(front.address) as sock:
            sock.shutdown(socket.SHUT_WR)
            assert await ends_in_reset(sock)
        assert [closed.how for closed in front.closed] == ["half-closed"]


@pytest.mark.usefixtures("both")
async def test_stop_cuts_what_is_open_both_ways() -> None:
    seen: list[bool] = []

    async def serve(sock: socket.socket) -> None:
        await asyncio.get_running_loop().sock_sendall(sock, b"hello")
        seen.append(await ends_in_reset(sock))

    async with server(serve) as address, proxy(address) as front:
        with await connect(front.address) as sock:
            assert await read_exactly(sock, 5) == b"hello"
            front.front.stop()
            assert await ends_in_reset(sock)
            await until(lambda: bool(seen))
        assert [closed.how for closed in front.closed] == ["stopped"]


@pytest.mark.usefixtures("both")
async def test_urgent_data_cuts_a_read_short_and_stalls_nothing() -> None:
    async with server(echo) as address, proxy(address) as front:
        with await connect(front.address) as sock:
            sock.send(b"abc")
            assert await read_exactly(sock, 3) == b"abc"
            sock.send(b"def")
            sock.send(b"!", socket.MSG_OOB)
            sock.send(b"ghi")
            assert await read_exactly(sock, 6) == b"defghi", "the urgent byte is not in the stream"
            sock.send(b"jkl!", socket.MSG_OOB)
            sock.shutdown(socket.SHUT_WR)
            assert await read_all(sock) == b"jkl"
