"""A connection to the first of several endpoints that accepts it."""

from __future__ import annotations

import errno
import itertools
import math
import os
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from podway_proxy.plane.connection import Connection
from podway_proxy.plane.plane import BROKEN, READ, WRITE
from podway_proxy.plane.wheel import TICK
from podway_proxy.values import Endpoint

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane

IP_BIND_ADDRESS_NO_PORT: Final = 24
"""linux/in.h; Python's socket module has no name for it before 3.12."""
NOBODY: Final = Endpoint("", 0)
EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""socket(2), accept(2): this machine is short of something; the other side did nothing wrong."""
LATE: Final = "no answer in time"
"""The reason of a candidate that the time ran out for."""
STREAM: Final = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
V4: Final = int(socket.AF_INET)
V6: Final = int(socket.AF_INET6)
TCP: Final = int(socket.IPPROTO_TCP)
NODELAY: Final = int(socket.TCP_NODELAY)
SHARE: Final = 0.5
"""Part of the time left that one candidate may use, so that a silent one leaves some to others."""
LEAST: Final = 1.0
"""Seconds that a candidate gets at least: the kernel repeats a lost SYN after one (RFC 6298)."""


def begin(endpoint: Endpoint, source: str = "") -> socket.socket:
    """Open a socket with TCP_NODELAY and begin to connect it; OSError where that fails at once."""
    six = ":" in endpoint.host
    sock = Connection(V6 if six else V4, STREAM, 0)
    try:
        sock.setsockopt(TCP, NODELAY, 1)
        if source and (":" in source) is six:
            # The port is chosen at connect, so as many connections fit as there are
            # (address, port, address, port) quadruples, not only as there are ports.
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
        code = sock.connect_ex(endpoint[:2])
    except OSError:
        sock.close()
        raise
    if code and code != errno.EINPROGRESS:
        sock.close()
        raise OSError(code, os.strerror(code))
    return sock


def words(error: OSError) -> str:
    """Say why a connection could not be made."""
    return error.strerror or str(error)


class Dial:
    """Tries `candidates` in their order until one is connected or `timeout` seconds are over.

    With `first` bytes they are sent straight after connect (the kernel says when it is too early),
    and a candidate counts as connected when it took some; what it did not take goes to
    `on_rest(rest)` ahead of `on_connected`. With `answer` a candidate must also send exactly
    these bytes, which are swallowed.

    `on_connected(sock, endpoint)` hands over a non-blocking socket with TCP_NODELAY set; it or
    `on_failed([(endpoint, reason), ...])` is called once, possibly before the constructor returns,
    and neither after `cancel`. `on_failure(endpoint, reason)` is called for each failed candidate.
    The socket may be watched already: the next owner's `watch` returns True, and it must try to
    read and write by itself.

    `tried` is the first candidate, where the caller has begun with it: what `begin` gave for it
    and could not yet be written to, or how it failed.

    Without a free descriptor it rests until the next tick, as long as it has time: no candidate is
    to blame.
    """

    __slots__ = (
        "_answer",
        "_candidates",
        "_endpoint",
        "_first",
        "_heard",
        "_on_connected",
        "_on_failed",
        "_on_failure",
        "_on_rest",
        "_plane",
        "_rest",
        "_sock",
        "_source",
        "_until",
        "_waiting",
        "failures",
        "over",
    )

    def __init__(
        self,
        plane: Plane,
        candidates: Iterable[Endpoint],
        on_connected: Callable[[socket.socket, Endpoint], None],
        on_failed: Callable[[list[tuple[Endpoint, str]]], None],
        timeout: float,
        source: str = "",
        on_failure: Callable[[Endpoint, str], None] | None = None,
        *,
        first: bytes = b"",
        answer: bytes = b"",
        on_rest: Callable[[bytes], None] | None = None,
        tried: tuple[Endpoint, socket.socket | OSError] | None = None,
    ) -> None:
        self._plane = plane
        self._candidates = iter(candidates)
        self._on_connected = on_connected
        self._on_failed = on_failed
        self._on_failure = on_failure
        self._on_rest = on_rest
        self._source = source
        self._until = plane.now + timeout
        self._first = first
        self._answer = answer
        self._heard = b""
        self._sock: socket.socket | None = None
        self._waiting = False
        self._endpoint = NOBODY
        self._rest = first
        self.failures: list[tuple[Endpoint, str]] = []
        self.over = False
        if tried is None:
            self._next()
        else:
            self._go_on_from(*tried)

    def cancel(self) -> None:
        """Give up without calling anybody."""
        self.over = True
        self._drop()

    def on_deadline(self) -> None:
        """Go on to the next candidate: this one has had its time; or try again after a rest."""
        if self._sock is None:
            self._next()
        else:
            self._go_on(LATE)

    def _go_on_from(self, endpoint: Endpoint, begun: socket.socket | OSError) -> None:
        """Wait for the candidate that the caller has begun with, or try the one after it."""
        self._endpoint = endpoint
        if isinstance(begun, OSError):
            self._go_on(self._fault(endpoint, begun))
        else:
            self._sock = begun
            self._wait(begun)

    def _next(self) -> None:
        """Try the next candidate, and the one after it where that fails at once."""
        for endpoint in self._candidates:
            self._endpoint = endpoint
            reason = self._try(endpoint)
            if not reason:
                return
            self._note(reason)
            if self.over or self._plane.now >= self._until:
                break
        if not self.over:
            self.over = True
            self._on_failed(self.failures)

    def _go_on(self, reason: str) -> None:
        """Leave a candidate that failed (an empty reason: it did not) for the next one."""
        if not reason:
            return
        self._drop()
        self._note(reason)
        if not self.over:
            self._next()

    def _try(self, endpoint: Endpoint) -> str:
        """Begin to connect; the reason if that failed at once."""
        try:
            self._sock = sock = begin(endpoint, self._source)
        except OSError as error:
            return self._fault(endpoint, error)
        self._rest = self._first
        self._heard = b""
        if self._rest:
            reason = self._speak(sock)
            if reason:
                self._drop()
            return reason
        self._wait(sock)
        return ""

    def _fault(self, endpoint: Endpoint, error: OSError) -> str:
        """Say why there is no socket for a candidate; empty: it is tried again after a rest."""
        now = self._plane.now
        if error.errno not in EXHAUSTED or now >= self._until:
            return words(error)
        self._candidates = itertools.chain((endpoint,), self._candidates)
        self._waiting = True
        self._plane.deadline(self, now + TICK)
        return ""

    def _speak(self, sock: socket.socket) -> str:
        """Send the first bytes; the reason if that shows that the connect failed."""
        try:
            sent = sock.send(self._rest)
        except BlockingIOError:
            self._wait(sock)
            return ""
        except OSError as error:
            return words(error)
        self._rest = self._rest[sent:]
        if self._answer:
            self._wait(sock)
        else:
            self._done(sock)
        return ""

    def _listen(self, sock: socket.socket) -> str:
        """Read the answer to the greeting; the reason if it is not the one expected."""
        try:
            heard = sock.recv(len(self._answer) - len(self._heard))
        except BlockingIOError:
            return ""
        except OSError as error:
            return words(error)
        self._heard += heard
        if not heard:
            return "closed without an answer to the greeting"
        if not self._answer.startswith(self._heard):
            return "does not accept the greeting"
        if self._heard == self._answer:
            self._done(sock)
        return ""

    def _wait(self, sock: socket.socket) -> None:
        """Wait for an edge, for this candidate's share of the time at most."""
        self._waiting = True
        now = self._plane.now
        share = max((self._until - now) * SHARE, LEAST)
        self._plane.deadline(self, min(now + share, self._until))
        self._plane.watch(sock.fileno(), self._on_event)

    def _on_event(self, mask: int) -> None:
        sock = self._sock
        if sock is None:
            return
        if mask & BROKEN:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._go_on(os.strerror(code or errno.ECONNRESET))
        elif self._rest:
            if mask & WRITE:
                self._go_on(self._speak(sock))
        elif self._answer:
            if mask & READ:
                self._go_on(self._listen(sock))
        elif mask & WRITE:
            self._done(sock)

    def _done(self, sock: socket.socket) -> None:
        self.over = True
        self._sock = None
        if self._waiting:
            self._plane.deadline(self, math.inf)
        tally = self._plane.tally
        tally.row[tally.connected] += 1
        if self._rest and self._on_rest is not None:
            self._on_rest(self._rest)
        self._on_connected(sock, self._endpoint)

    def _note(self, reason: str) -> None:
        tally = self._plane.tally
        tally.row[tally.connect_failures] += 1
        self.failures.append((self._endpoint, reason))
        if self._on_failure is not None:
            self._on_failure(self._endpoint, reason)

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        if self._waiting:
            self._waiting = False
            self._plane.deadline(self, math.inf)
        if sock is not None:
            self._plane.close(sock)
