"""The client of bulk flows: takes them all at once and counts every byte, keeping none."""

from __future__ import annotations

import contextlib
import select
import socket
import time

from bench.loads.source import SIZE_BYTES
from bench.loads.wrk import LoadError

READ = 1 << 20
PATIENCE = 60.0
"""Seconds without a byte after which a load has failed."""


def take(port: int, flows: int, size: int) -> float:
    """Get `size` bytes in each of so many flows; seconds that it took. Raises LoadError."""
    begun = time.monotonic()
    left: dict[int, int] = {}
    socks: dict[int, socket.socket] = {}
    epoll = select.epoll()
    with contextlib.ExitStack() as stack:
        stack.callback(epoll.close)
        for _ in range(flows):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            sock.sendall(str(size).encode().ljust(SIZE_BYTES))
            sock.setblocking(False)
            left[sock.fileno()], socks[sock.fileno()] = size, sock
            epoll.register(sock, select.EPOLLIN)
        _drain(epoll, socks, left)
    return time.monotonic() - begun


def _drain(epoll: select.epoll, socks: dict[int, socket.socket], left: dict[int, int]) -> None:
    """Read every flow to its end; each must have brought exactly what was asked for."""
    # MSG_TRUNC: the kernel throws the bytes away instead of copying them to us (tcp(7)).
    nothing = bytearray(READ)
    while socks:
        ready = epoll.poll(PATIENCE)
        if not ready:
            raise LoadError(
                f"{len(socks)} bulk flows stand still, {sum(left.values())} bytes to go"
            )
        for fd, _ in ready:
            try:
                got = socks[fd].recv_into(nothing, READ, socket.MSG_TRUNC)
            except OSError as error:
                raise LoadError(f"a bulk flow broke with {left[fd]} bytes to go: {error}") from None
            left[fd] -= got
            if not got or left[fd] < 0:
                _ended(left[fd])
                epoll.unregister(socks.pop(fd))


def _ended(left: int) -> None:
    if left:
        raise LoadError(f"a bulk flow ended with {left} bytes to go")
