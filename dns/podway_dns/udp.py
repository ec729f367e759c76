"""DNS over UDP: a raw socket on the plane's epoll set, answered in batches."""

from __future__ import annotations

import socket
import time
from functools import partial

from podway_dns.fast import Kept
from podway_dns.limits import UDP_BATCH, UDP_BUFFER, UDP_LAST
from podway_dns.mmsg import SLOTS, Batch, Origin
from podway_dns.policy import Client
from podway_dns.server import Server
from podway_proxy.plane.plane import Plane


class UdpFront:
    """One UDP socket."""

    def __init__(self, plane: Plane, sock: socket.socket, server: Server) -> None:
        self._plane = plane
        self._sock = sock
        self._server = server
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)
        self._batch = Batch(sock)
        plane.watch(sock.fileno(), self._on_event)

    def _on_event(self, _: int) -> None:
        self._turn()

    def _turn(self) -> None:
        """Answer some batches; come again after the others if the socket may hold more."""
        if self._sock.fileno() >= 0 and self._batches(UDP_BATCH // SLOTS):
            self._plane.soon(self._turn)

    def _batches(self, most: int) -> bool:
        """Answer up to that many batches; False if the socket is empty."""
        for _ in range(most):
            try:
                count = self._batch.receive()
            except OSError:
                # An ICMP error of an earlier answer, reported here (ip(7)); the next call goes on.
                self._server.meter.add("dropped_total:reason=unsent")
                continue
            if count:
                self._answer(count)
            if count < SLOTS:  # there was no more; what comes now is a new edge
                return False
        return True

    def _answer(self, count: int) -> None:
        start = time.perf_counter_ns()
        server, batch = self._server, self._batch
        questions = batch.questions(count)
        replies, founds = server.answer_batch(questions, batch.ident, batch.address)
        if server.policy.active:
            self._treat(questions, replies, founds)
        lost = batch.send(replies)
        if lost:
            server.meter.add("dropped_total:reason=unsent", lost)
        server.meter.took("udp", time.perf_counter_ns() - start, count)

    def _treat(
        self, questions: list[bytes], replies: list[bytes], founds: list[Kept | None]
    ) -> None:
        server, batch = self._server, self._batch
        for slot, reply in enumerate(replies):
            address = batch.address(slot)
            if not reply or (server.policy.quick and address[0] == 127):
                continue
            origin, ident = batch.origin(slot), batch.ident(slot)
            client = Client("udp", address, f"{origin[0][0]}:{origin[0][1]}")
            later = partial(self._later, origin)
            message, whole = ident + questions[slot], ident + reply
            treated = server.policy.treat(
                server.snapshot, message, whole, client, founds[slot], later
            )
            replies[slot] = treated[2:]

    def _later(self, origin: Origin, reply: bytes) -> None:
        """Send an answer that had to be fetched first."""
        if self._sock.fileno() >= 0 and not self._batch.send_late(origin, reply):
            self._server.meter.add("dropped_total:reason=unsent")

    def close(self) -> None:
        """Answer what is queued, then close."""
        self._batches(UDP_LAST)
        self._plane.close(self._sock)
