"""A TCP front end on a plane in the running loop, and peers for both of its sides."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

import uvloop

from podway_proxy import Closed, Endpoint, Forward, Limits, Listener, Plane, TcpFront

T = TypeVar("T")
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
PATIENCE = 20.0


def run_in(loop: str, main: Coroutine[Any, Any, T]) -> T:
    """Run `main` in a fresh loop of that kind, within a bound."""
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(asyncio.wait_for(main, 2 * PATIENCE))


async def until(met: Callable[[], bool], what: str = "the condition") -> None:
    """Poll until `met()`."""
    deadline = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        await asyncio.sleep(0.005)


class Proxy(NamedTuple):
    plane: Plane
    front: TcpFront[Any]
    listener: Listener
    address: tuple[str, int]
    closed: list[Closed]
    errors: list[dict[str, Any]]


@contextlib.asynccontextmanager
async def proxy(
    *endpoints: tuple[str, int],
    limits: Limits | None = None,
    pipes: int = 16,
    forward: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Proxy]:
    """A front end that forwards to `endpoints`; on exit nothing may be left of it."""
    limits = Limits() if limits is None else limits
    plane = Plane(limits, pipes=pipes)
    loop = asyncio.get_running_loop()
    errors: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    plane.attach(loop)
    candidates = [Endpoint(host, port) for host, port in endpoints]
    options.setdefault("decide", lambda *_: Forward(candidates, **(forward or {})))
    closed: list[Closed] = []
    front: TcpFront[Any] = TcpFront(plane, on_closed=closed.append, **options)
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    address = sock.getsockname()
    listener = Listener(plane, sock, front.accept)
    try:
        yield Proxy(plane, front, listener, address, closed, errors)
    finally:
        plane.close(sock)
        front.stop()
        await until(lambda: front.active == 0 and plane.watched == 0, "an empty plane")
        plane.detach()
    assert not errors, errors


async def connect(address: tuple[str, int], source: str = "") -> socket.socket:
    """A connected socket; the kernel accepts by itself, so this does not wait for the plane."""
    sock = socket.socket()
    try:
        if source:
            sock.bind((source, 0))
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


async def read_all(sock: socket.socket) -> bytes:
    """Read to the end of the stream."""
    loop = asyncio.get_running_loop()
    parts = []
    while part := await loop.sock_recv(sock, 262_144):
        parts.append(part)
    return b"".join(parts)


async def read_exactly(sock: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < size and (part := await loop.sock_recv(sock, size - len(data))):
        data += part
    return data


def reset(sock: socket.socket) -> None:
    """Close with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.asynccontextmanager
async def server(
    serve: Callable[[socket.socket], Coroutine[Any, Any, None]], backlog: int = 1024
) -> AsyncIterator[tuple[str, int]]:
    """A server whose connections are handled by `serve(sock)`, each closed after it."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def done(task: asyncio.Task[None], sock: socket.socket) -> None:
        tasks.discard(task)
        sock.close()  # here, because a task that is cancelled before its first step runs nothing

    def accept() -> None:
        # Not sock_accept(): cancelled at the wrong moment, it forgets what it has accepted.
        with contextlib.suppress(BlockingIOError):
            sock, _ = listening.accept()
            sock.setblocking(False)
            task = loop.create_task(serve(sock))
            tasks.add(task)
            task.add_done_callback(functools.partial(done, sock=sock))

    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listening:
        listening.setblocking(False)
        loop.add_reader(listening, accept)
        try:
            yield listening.getsockname()
        finally:
            loop.remove_reader(listening)
            ending = list(tasks)
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)


def closed_port() -> tuple[str, int]:
    """An address where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        host, port = sock.getsockname()
    return (host, port)


async def echo(sock: socket.socket) -> None:
    """Send back what comes, and the end of it."""
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(sock, 65_536):
        await loop.sock_sendall(sock, data)
