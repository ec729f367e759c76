"""Stream connections: DNS over TCP (RFC 7766), TLS (RFC 7858) and HTTP (RFC 8484)."""

from __future__ import annotations

import math
import select
import socket
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from podway_dns import limits
from podway_dns.framing import Framing
from podway_dns.policy import Client
from podway_dns.server import Server
from podway_proxy.plane.plane import Plane


class Stream(Protocol):
    """Reads and writes without blocking: BlockingIOError where it would have to."""

    def recv(self, size: int, /) -> bytes:
        """Read; empty at the end."""

    def send(self, data: bytes, /) -> int:
        """Write; gives how much was taken."""


Wrap = Callable[[socket.socket], tuple[socket.socket, Stream]]
"""Puts TLS on a socket; gives what to watch and close, and what to read and write."""


class Connections:
    """All stream connections of a worker, with the caps on them."""

    def __init__(self, plane: Plane, server: Server, most: int) -> None:
        self.plane = plane
        self.server = server
        self._most = most
        self._open: set[Connection] = set()
        self._clients: Counter[str] = Counter()

    @property
    def active(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def accept(
        self, kind: str, framing: Framing, wrap: Wrap, sock: socket.socket, peer: tuple[str, int]
    ) -> None:
        """Serve a new connection, or close it where a cap is reached."""
        wrapped = None
        reason = self._full(peer[0])
        if not reason:
            wrapped, reason = _wrapped(wrap, sock)
        if wrapped is None:
            self.server.meter.add(f"refused_total:reason={reason}")
            sock.close()
            return
        watched, stream = wrapped
        self._clients[peer[0]] += 1
        family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
        client = Client(kind, socket.inet_pton(family, peer[0]), f"{peer[0]}:{peer[1]}")
        self._open.add(Connection(self, watched, stream, framing, client))
        self.server.meter.add("connections")

    def _full(self, host: str) -> str:
        if len(self._open) >= self._most:
            return "connections"
        return "per-client" if self._clients[host] >= limits.TCP_PER_CLIENT else ""

    def gone(self, connection: Connection, client: Client) -> None:
        """Forget a connection that has been closed."""
        host = client.text.rpartition(":")[0]
        self._open.discard(connection)
        self._clients[host] -= 1
        if self._clients[host] <= 0:
            del self._clients[host]
        self.server.meter.add("connections", -1)

    def drain(self) -> None:
        """Close every connection once what it has asked is answered."""
        for connection in list(self._open):
            connection.drain()


def plain(sock: socket.socket) -> tuple[socket.socket, Stream]:
    """Wrap nothing."""
    return sock, sock


def _wrapped(wrap: Wrap, sock: socket.socket) -> tuple[tuple[socket.socket, Stream] | None, str]:
    try:
        return wrap(sock), ""
    except OSError:  # the client was gone before its TLS began
        return None, "gone"


class Connection:
    """One client's connection."""

    __slots__ = ("__weakref__", "_client", "_framing", "_in", "_out", "_over", "_owed", "_owner",
                 "_sock", "_stream")  # fmt: skip

    def __init__(
        self, owner: Connections, sock: socket.socket, stream: Stream, framing: Framing,
        client: Client,
    ) -> None:  # fmt: skip
        self._owner = owner
        self._sock = sock
        self._stream = stream
        self._framing = framing
        self._client = client
        self._in = bytearray()
        self._out = b""
        self._owed = 0
        """Answers that are being fetched from elsewhere."""
        self._over = False
        """No more queries come: end of stream, or we are draining."""
        self._wait()
        owner.plane.watch(sock.fileno(), self._on_event)

    def _wait(self) -> None:
        plane = self._owner.plane
        plane.deadline(self, plane.now + limits.TCP_IDLE)

    def on_deadline(self) -> None:
        """Close a connection that was idle, or did not read, for too long."""
        self._close()

    def drain(self) -> None:
        """Close when nothing is owed any more."""
        self._over = True
        self._go()

    def _on_event(self, mask: int) -> None:
        if mask & select.EPOLLERR:
            self._close()
        else:
            self._go()

    def _go(self) -> None:
        """Send, answer and read as far as the kernel lets us, for a turn."""
        if self._sock.fileno() < 0:
            return
        try:
            for _ in range(limits.TCP_TURNS):
                if not self._send() or not (self._answer() or self._receive()):
                    break
            else:
                self._owner.plane.soon(self._go)
                return
        except OSError:  # the client is gone
            self._close()
            return
        if self._over and not self._out and not self._owed:
            self._close()

    def _send(self) -> bool:
        """Send what is owed; False while the client has to read first."""
        if self._out:
            try:
                sent = self._stream.send(self._out)
            except BlockingIOError:
                return False
            self._out = self._out[sent:]
            self._wait()
        return len(self._out) < limits.TCP_TAIL

    def _receive(self) -> bool:
        """Read once; False when there is nothing (yet)."""
        if self._over:
            return False
        try:
            data = self._stream.recv(limits.TCP_QUERY)
        except BlockingIOError:
            return False
        self._in += data
        self._over = not data
        return bool(data)

    def _answer(self) -> bool:
        """Answer the whole queries that are here, some at a time; False if there was none."""
        if not self._in:
            return False
        step = self._framing.feed(self._in, self._reply)
        del self._in[: step.consumed]
        self._out += step.output
        if step.over:
            self._over = True
            self._in.clear()
        return bool(step.consumed or step.output)

    def _reply(self, message: bytes) -> bytes | None:
        self._wait()
        reply = self._owner.server.answer(message, self._client, self._later)
        self._owed += reply == b""
        return reply

    def _later(self, reply: bytes) -> None:
        """Take an answer that had to be fetched first; answers may overtake (RFC 7766 7)."""
        self._owed -= 1
        if self._sock.fileno() >= 0:
            self._out += self._framing.frame(reply)
            self._go()

    def _close(self) -> None:
        if self._sock.fileno() >= 0:
            plane = self._owner.plane
            plane.deadline(self, math.inf)
            plane.close(self._sock)
            self._owner.gone(self, self._client)
