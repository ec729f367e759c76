from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from plane_rig import closed_port, echo, read_all, read_exactly, reset, server, until

from podway_proxy import Dial, Endpoint, Plane

pytestmark = pytest.mark.live


class Owner:
    """Takes what a dial hands over."""

    def __init__(self) -> None:
        self.plane = Plane()
        self.connected: list[tuple[socket.socket, Endpoint]] = []
        self.failed: list[list[tuple[Endpoint, str]]] = []
        self.failures: list[Endpoint] = []

    def dial(self, *addresses: tuple[str, int], timeout: float = 5.0, **options: Any) -> Dial:
        return Dial(
            self.plane,
            [Endpoint(*address) for address in addresses],
            lambda *connected: self.connected.append(connected),
            self.failed.append,
            timeout,
            on_failure=lambda endpoint, _: self.failures.append(endpoint),
            **options,
        )

    @property
    def over(self) -> bool:
        return bool(self.connected or self.failed)


@pytest.fixture
async def owner() -> AsyncIterator[Owner]:
    owner = Owner()
    owner.plane.attach(asyncio.get_running_loop())
    yield owner
    for sock, _ in owner.connected:
        owner.plane.close(sock)
    assert owner.plane.watched == 0
    owner.plane.detach()


@contextlib.contextmanager
def silent_port() -> Any:
    """An address whose queue is full, so that a connect there stays unanswered."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(sock.getsockname())
        yield sock.getsockname()


async def test_the_first_candidate_that_accepts_is_handed_over(owner: Owner) -> None:
    dead = closed_port()
    async with server(echo) as address:
        owner.dial(dead, dead, address, closed_port())
        await until(lambda: owner.over)
        ((sock, endpoint),) = owner.connected
        assert endpoint.address == address
        assert owner.failures == [Endpoint(*dead)] * 2
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.gettimeout() == 0


async def test_candidates_are_asked_for_one_by_one(owner: Owner) -> None:
    asked: list[int] = []

    def candidates(address: tuple[str, int]) -> Any:
        for number in range(3):
            asked.append(number)
            yield Endpoint(*address)

    async with server(echo) as address:
        Dial(
            owner.plane,
            candidates(address),
            lambda *connected: owner.connected.append(connected),
            owner.failed.append,
            5.0,
        )
        await until(lambda: owner.over)
    assert asked == [0]


async def test_first_bytes_are_sent_at_once_to_whom_accepts(owner: Owner) -> None:
    heard: list[bytes] = []

    async def serve(sock: socket.socket) -> None:
        heard.append(await read_exactly(sock, 5))

    async with server(serve) as address:
        owner.dial(closed_port(), address, first=b"first")
        await until(lambda: bool(heard))
        assert heard == [b"first"]
        assert len(owner.connected) == 1


async def test_what_the_kernel_does_not_take_of_the_first_bytes_is_given_back(owner: Owner) -> None:
    heard: list[bytes] = []
    rest: list[bytes] = []
    first = b"abcdefgh" * 1_000_000

    async def serve(sock: socket.socket) -> None:
        heard.append(await read_all(sock))

    async with server(serve) as address:
        owner.dial(address, first=first, on_rest=rest.append)
        await until(lambda: owner.over)
        sock, _ = owner.connected.pop()
        owner.plane.unwatch(sock.fileno())
        await asyncio.get_running_loop().sock_sendall(sock, b"".join(rest))
        sock.close()
        await until(lambda: bool(heard))
        assert heard == [first]
        assert rest


async def test_a_silent_candidate_leaves_time_for_the_next(owner: Owner) -> None:
    with silent_port() as silent:
        async with server(echo) as address:
            owner.dial(silent, address, timeout=2.0, first=b"x")
            await until(lambda: owner.over)
            ((_, endpoint),) = owner.connected
            assert endpoint.address == address
            assert owner.failures == [Endpoint(*silent)]


async def test_all_of_them_failing_is_told_once_with_the_reasons(owner: Owner) -> None:
    dead = closed_port()
    with silent_port() as silent:
        owner.dial(dead, silent, timeout=0.3)
        await until(lambda: owner.over)
        assert owner.failed == [
            [(Endpoint(*dead), "Connection refused"), (Endpoint(*silent), "no answer in time")]
        ]
    owner.failed.clear()
    owner.dial()
    assert owner.failed == [[]]


async def test_a_cancelled_dial_calls_nobody(owner: Owner) -> None:
    with silent_port() as silent:
        dial = owner.dial(silent, closed_port(), timeout=0.3)
        dial.cancel()
        assert owner.plane.watched == 0
        assert dial.over
        assert not owner.over


async def test_it_connects_from_the_source_address(owner: Owner) -> None:
    peers: list[str] = []

    async def serve(sock: socket.socket) -> None:
        peers.append(sock.getpeername()[0])

    async with server(serve) as address:
        owner.dial(address, source="127.0.4.7", first=b"x")
        owner.dial(address, source="::1", first=b"x")
        await until(lambda: len(peers) == 2)
        assert sorted(peers) == ["127.0.0.1", "127.0.4.7"]


async def test_a_source_that_is_not_ours_is_a_reason(owner: Owner) -> None:
    owner.dial(closed_port(), source="192.0.2.1")
    assert owner.failed[0][0][1] == "Cannot assign requested address"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (b"NO", "does not accept the greeting"),
        (b"O", "closed without an answer to the greeting"),
        (None, "Connection reset by peer"),
    ],
)
async def test_a_candidate_must_answer_the_greeting(
    owner: Owner, answers: bytes | None, reason: str
) -> None:
    async def bad(sock: socket.socket) -> None:
        await read_exactly(sock, 5)
        if answers is None:
            reset(sock)
        else:
            await asyncio.get_running_loop().sock_sendall(sock, answers)

    async def good(sock: socket.socket) -> None:
        await read_exactly(sock, 5)
        for byte in (b"O", b"K", b"!"):
            await asyncio.get_running_loop().sock_sendall(sock, byte)
            await asyncio.sleep(0.005)

    async with server(bad) as first, server(good) as second:
        owner.dial(first, second, first=b"HELLO", answer=b"OK")
        await until(lambda: owner.over)
        sock, endpoint = owner.connected.pop()
        assert endpoint.address == second
        owner.plane.unwatch(sock.fileno())
        assert await read_all(sock) == b"!"
        sock.close()
        assert owner.failures == [Endpoint(*first)]


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """Let no descriptor be opened."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)


async def test_without_descriptors_it_waits_and_blames_nobody(owner: Owner) -> None:
    async with server(echo) as address:
        with no_descriptors():
            dial = owner.dial(address)
            assert not dial.over
        await until(lambda: owner.over)
        assert not owner.failures
        assert [endpoint for _, endpoint in owner.connected] == [Endpoint(*address)]


async def test_without_descriptors_it_gives_up_in_time(owner: Owner) -> None:
    with no_descriptors():
        owner.dial(("127.0.0.1", 1), timeout=0.3)
        await until(lambda: owner.over)
    assert [reason for _, reason in owner.failed[0]] == ["Too many open files"]
