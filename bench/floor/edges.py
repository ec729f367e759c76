"""The epoll set of the floor: edges go to callbacks by descriptor."""

from __future__ import annotations

import _socket
import asyncio
import gc
import select
import socket
from collections.abc import Callable
from operator import methodcaller

import uvloop

SOCKET = _socket.socket
INTEREST = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
READ = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
_ACCEPT = methodcaller("_accept")
_BATCH = 64

_epoll = select.epoll()
_watching: dict[int, Callable[[int], None]] = {}
_closing: list[_socket.socket] = []


def watch(sock: _socket.socket, callback: Callable[[int], None]) -> None:
    """Call `callback(mask)` at each edge."""
    fd = sock.fileno()
    _watching[fd] = callback
    _epoll.register(fd, INTEREST)


def close(sock: _socket.socket) -> None:
    """Close it after this batch."""
    _watching.pop(sock.fileno(), None)
    _closing.append(sock)


def connect(address: tuple[str, int]) -> _socket.socket:
    """Begin to connect; bytes may be sent at once."""
    sock = SOCKET(socket.AF_INET, STREAM, 0)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect_ex(address)
    return sock


def serve(port: int, take: Callable[[_socket.socket], None]) -> None:
    """Hand each connection to `take`, for ever."""
    listening = socket.create_server(("127.0.0.1", port), backlog=4096)
    listening.setblocking(False)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def accept(_mask: int) -> None:
        for _ in range(_BATCH):
            try:
                fd, _ = _ACCEPT(listening)
            except BlockingIOError:
                return
            sock = SOCKET(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
            sock.setblocking(False)
            take(sock)

    watch(listening, accept)
    uvloop.run(_run())


async def _run() -> None:
    asyncio.get_running_loop().add_reader(_epoll.fileno(), _on_events)
    gc.freeze()
    await asyncio.Event().wait()


def _on_events() -> None:
    global _closing
    for _ in range(4):
        events = _epoll.poll(0, 512)
        for fd, mask in events:
            callback = _watching.get(fd)
            if callback is not None:
                callback(mask)
        if _closing:
            closing, _closing = _closing, []
            for sock in closing:
                sock.close()
        if len(events) < 2:
            break
