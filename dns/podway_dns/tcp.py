"""DNS over TCP (RFC 7766): pipelined queries, each answer's length and body in one write."""

from __future__ import annotations

import select
import socket
from collections import Counter

from podway_dns import limits
from podway_dns.server import Server
from podway_proxy.plane.plane import Plane


class TcpFront:
    """The connections of all stream listeners of a worker; caps them."""

    def __init__(self, plane: Plane, server: Server, most: int) -> None:
        self.plane = plane
        self.server = server
        self.draining = False
        self._most = most
        self._connections: set[TcpConnection] = set()
        self._clients: Counter[str] = Counter()

    @property
    def active(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def accept(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        """Serve a new connection, or close it where a cap is reached."""
        reason = self._full(peer[0])
        if reason:
            self.server.meter.add(f"refused_total:reason={reason}")
            sock.close()
            return
        self._clients[peer[0]] += 1
        self._connections.add(TcpConnection(self, sock, peer[0]))
        self.server.meter.add("connections")

    def _full(self, client: str) -> str:
        if len(self._connections) >= self._most:
            return "connections"
        return "per-client" if self._clients[client] >= limits.TCP_PER_CLIENT else ""

    def gone(self, connection: TcpConnection, client: str) -> None:
        """Forget a connection that has been closed."""
        self._connections.discard(connection)
        self._clients[client] -= 1
        if self._clients[client] <= 0:
            del self._clients[client]
        self.server.meter.add("connections", -1)

    def drain(self) -> None:
        """Close every connection once what it has asked is answered."""
        self.draining = True
        for connection in list(self._connections):
            connection.drain()


class TcpConnection:
    """One client's connection."""

    __slots__ = ("__weakref__", "_client", "_front", "_in", "_ip", "_out", "_over", "_sock")

    def __init__(self, front: TcpFront, sock: socket.socket, client: str) -> None:
        self._front = front
        self._sock = sock
        self._client = client
        family = socket.AF_INET6 if ":" in client else socket.AF_INET
        self._ip = socket.inet_pton(family, client)
        self._in = bytearray()
        self._out = b""
        self._over = False
        """No more queries come: end of stream, or we are draining."""
        self._wait()
        front.plane.watch(sock.fileno(), self._on_event)

    def _wait(self) -> None:
        plane = self._front.plane
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
            return
        self._go()

    def _go(self) -> None:
        """Send, answer and read as far as the kernel lets us."""
        try:
            while self._send() and (self._answer() or self._receive()):
                pass
        except OSError:  # the client is gone
            self._close()
            return
        if self._over and not self._out and self._sock.fileno() >= 0:
            self._close()

    def _send(self) -> bool:
        """Send what is owed; False while the client has to read first."""
        if self._out:
            try:
                sent = self._sock.send(self._out)
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
            data = self._sock.recv(limits.TCP_QUERY)
        except BlockingIOError:
            return False
        self._in += data
        self._over = not data
        return bool(data)

    def _answer(self) -> bool:
        """Answer the complete queries that are here, some at a time; False if there was none."""
        data, at = self._in, 0
        replies: list[bytes] = []
        while len(data) - at >= 2 and len(replies) < limits.TCP_BATCH:
            end = at + 2 + (data[at] << 8 | data[at + 1])
            if end > len(data):
                break
            replies.append(self._reply(bytes(data[at + 2 : end])))
            at = end
        del data[:at]
        self._out += b"".join(replies)
        return at > 0

    def _reply(self, message: bytes) -> bytes:
        server = self._front.server
        server.meter.add("queries_total:transport=tcp")
        self._wait()
        reply = server.answer(message, self._ip, udp=False)
        return b"" if reply is None else len(reply).to_bytes(2, "big") + reply

    def _close(self) -> None:
        plane = self._front.plane
        plane.deadline(self, float("inf"))
        plane.close(self._sock)
        self._front.gone(self, self._client)
