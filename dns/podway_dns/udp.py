"""DNS over UDP: a raw socket on the plane's epoll set, read in batches."""

from __future__ import annotations

import socket
from typing import Any

from podway_dns.limits import UDP_BATCH, UDP_BUFFER, UDP_QUERY
from podway_dns.mmsg import SLOTS, Batch
from podway_dns.server import Server
from podway_proxy.plane.plane import Plane

IP_PKTINFO = 8
"""linux/in.h; Python 3.11's socket module does not have it."""
_ANY = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound


class UdpFront:
    """One UDP socket."""

    def __init__(self, plane: Plane, sock: socket.socket, server: Server) -> None:
        self._plane = plane
        self._sock = sock
        self._server = server
        self._inet = socket.AF_INET6 if sock.family == socket.AF_INET6 else socket.AF_INET
        self._wildcard = sock.getsockname()[0] in _ANY
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)
        if self._wildcard:
            self._ask_for_addresses()
        self._batch = None if self._wildcard else Batch(sock)
        plane.watch(sock.fileno(), self._on_event)

    def _ask_for_addresses(self) -> None:
        """Have the kernel say which of our addresses was asked: the answer must come from it."""
        if self._inet == socket.AF_INET6:
            self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            self._sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)

    def _on_event(self, _: int) -> None:
        self._turn()

    def _turn(self) -> None:
        """Answer a batch; come again after the others if the socket may hold more."""
        if self._sock.fileno() < 0:
            return
        if self._batch is not None:
            self._many(self._batch)
            return
        step = self._one_of_many if self._wildcard else self._one
        for _ in range(UDP_BATCH):
            try:
                step()
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error of an earlier answer, reported here (ip(7)); the next call goes on.
                self._server.meter.add("dropped_total:reason=unsent")
        self._plane.soon(self._turn)

    def _many(self, batch: Batch) -> None:
        """Answer batches of datagrams with two system calls each."""
        for _ in range(UDP_BATCH // SLOTS):
            count = batch.receive()
            if not count:
                return
            self._server.answer_batch(batch, count)
        self._plane.soon(self._turn)

    def _one(self) -> None:
        message, peer = self._sock.recvfrom(UDP_QUERY)
        reply = self._answer(message, peer)
        if reply is not None:
            self._send(reply, peer)

    def _answer(self, message: bytes, peer: Any) -> bytes | None:
        self._server.meter.add("queries_total:transport=udp")
        client = socket.inet_pton(self._inet, peer[0].partition("%")[0])
        return self._server.answer(message, client, udp=True)

    def _send(self, reply: bytes, peer: Any) -> None:
        try:
            self._sock.sendto(reply, peer)
        except OSError:  # the buffer is full, or there is no way back: the client asks again
            self._server.meter.add("dropped_total:reason=unsent")

    def _one_of_many(self) -> None:
        """Answer on a socket of all addresses: from the one that was asked."""
        message, ancillary, _, peer = self._sock.recvmsg(UDP_QUERY, 128)
        reply = self._answer(message, peer)
        if reply is None:
            return
        try:
            self._sock.sendmsg([reply], [_from(*item) for item in ancillary], 0, peer)
        except OSError:
            self._server.meter.add("dropped_total:reason=unsent")

    def close(self) -> None:
        """Answer what is queued, then close."""
        self._turn()
        self._plane.close(self._sock)


def _from(level: int, kind: int, data: bytes) -> tuple[int, int, bytes]:
    """Turn the address asked into the address to answer from (ip(7), ipv6(7))."""
    if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
        return level, kind, bytes(4) + data[4:8] + bytes(4)
    return level, kind, data[:16] + (data[16:20] if data[0] == 0xFE else bytes(4))
