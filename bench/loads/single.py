"""One connection that asks again and again, and many that ask once and then stay."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

from bench.loads.secure import context
from bench.loads.wrk import LoadError
from bench.peers.nginx import PAGE
from bench.peers.peer import EXTRAS, HOST

REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
PATIENCE = 20.0
"""Seconds for any answer, and for a server to answer at all."""
AGAIN = 1.0
"""Seconds after which a proxy that is still starting is asked anew: some lose the first ones."""
AT_ONCE = 100
"""Connections that are opened before their answers are read: less than any backlog."""


class Single:
    """A kept connection to the HTTP pod, through whatever listens on the port."""

    def __init__(self, port: int, patience: float = PATIENCE, secure: bool = False) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), patience)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            self._sock = context().wrap_socket(self._sock, server_hostname=HOST)

    def ask(self) -> None:
        """Send a request."""
        self._sock.sendall(REQUEST)

    def answer(self) -> bytes:
        """Read the whole answer; raises LoadError unless it is the pod's page."""
        data = self._sock.recv(65_536)
        while data and not data.endswith(PAGE.encode()):
            more = self._sock.recv(65_536)
            if not more:
                break
            data += more
        if not (data.startswith(b"HTTP/1.1 200") and data.endswith(PAGE.encode())):
            raise LoadError(f"expected the pod's page, got {data[:200]!r}")
        return data

    def close(self) -> None:
        """Close it."""
        self._sock.close()


def first_answer(port: int, ended: Callable[[], int | None], secure: bool = False) -> None:
    """Ask until the pod answers through the proxy; raises LoadError when it never does.

    `ended` gives the proxy's exit code when it is no more.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with contextlib.closing(Single(port, AGAIN, secure)) as single:
                single.ask()
                single.answer()
                return
        except (OSError, LoadError) as error:
            if ended() is not None:
                raise LoadError(f"it ended with exit code {ended()}") from None
            if time.monotonic() > deadline:
                raise LoadError(f"no answer on port {port} in {PATIENCE:g} s: {error}") from None
        time.sleep(0.01)


def latencies(port: int, count: int, secure: bool = False) -> list[float]:
    """Ask so often on one connection, one after the other; milliseconds, sorted."""
    taken = []
    with contextlib.closing(Single(port, secure=secure)) as single:
        for _ in range(count):
            begun = time.perf_counter()
            single.ask()
            single.answer()
            taken.append((time.perf_counter() - begun) * 1e3)
    return sorted(taken)


def check_extras(port: int) -> None:
    """See that an answer brings the sticky cookie and has had its actions; raises LoadError."""
    with contextlib.closing(Single(port)) as single:
        single.ask()
        head = single.answer().partition(b"\r\n\r\n")[0].lower()
    wanted = [f"\r\n{name}: {value}".lower() for name, value in EXTRAS.answer.items()]
    for line in ("\r\nset-cookie: ", *wanted):
        if line.encode() not in head:
            raise LoadError(f"an answer without {line.strip()!r}: {head!r}")


@contextlib.contextmanager
def held(port: int, count: int) -> Iterator[None]:
    """Hold so many connections, each of which has had an answer."""
    with contextlib.ExitStack() as stack:
        for start in range(0, count, AT_ONCE):
            batch = []
            for _ in range(min(AT_ONCE, count - start)):
                single = Single(port)
                stack.callback(single.close)
                single.ask()
                batch.append(single)
            for single in batch:
                single.answer()
        yield
