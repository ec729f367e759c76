"""A client's connection: reads request heads, has each routed, and takes the answers back.

The stages of a connection: a PROXY header where one is due; then, in turn, a head and an
exchange; at the end a farewell, or a relay after an upgrade. How it is answered stands in
`answering`.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from podway_proxy.http.answer import Answer
from podway_proxy.http.answering import Answering
from podway_proxy.http.exchange import IDLE, Exchange
from podway_proxy.http.forwarded import joined, lines_for
from podway_proxy.http.framing import ChunkError, begin_body
from podway_proxy.http.head import read_head
from podway_proxy.http.hop import outgoing
from podway_proxy.http.refuse import Refusal, refuse_beginning
from podway_proxy.http.request import KEEP, NO_BODY, Request
from podway_proxy.http.target import Target
from podway_proxy.plane.plane import GONE, READ
from podway_proxy.proxy_protocol import sniff_header
from podway_proxy.values import Address, Arrival
from podway_proxy.verdict import NeedMore, Reject

if TYPE_CHECKING:
    from podway_proxy.http.front import HttpFront

READ_BYTES = 32_768
"""Most bytes taken at once while a head is awaited: the usual longest one, and some body."""


class Client(Answering):
    """See the module."""

    __slots__ = ()

    def __init__(self, front: HttpFront, sock: socket.socket, peer: Address) -> None:
        self._front = front
        self._plane = plane = front.plane
        self.sock = sock
        self._peer = peer
        self.buffer = b""
        self.readable = False
        self.gone = False
        self.closing = False
        self.over = self.turned = False
        self.began = plane.now
        self._arrival = None
        self._exchange = IDLE if front.access is None else front.exchange_for(self)
        self._relay = None
        if front.takes_proxy is None:
            self.due = plane.now + front.limits.head_timeout
        else:
            self.due = plane.now + front.limits.proxy_timeout

    # ---- edges and time -------------------------------------------------------------------

    def _on_event(self, mask: int) -> None:
        if mask & READ:
            self.readable = True
            if mask & GONE:
                self.gone = True
        if self._exchange.active:
            self._exchange.on_client(mask)
        elif self.readable and not self.turned:
            self._read()

    def expire(self) -> None:
        """Act on a deadline that is over (called by the front's sweep)."""
        if self._exchange.active:
            again = self._exchange.check(self._front.limits.client_timeout)
            if self._exchange.active:
                self.due = again
        elif self.buffer and self.arrival is not None:
            seconds = self._front.limits.head_timeout
            reason = f"no whole request head came in {seconds:g} s"
            self._say_farewell(Answer(408, "head-timeout", reason))
        else:
            if self.arrival is None:
                self._front.refused("proxy", "no PROXY header came in time", self._peer)
            self._vanish(late=True)

    # ---- heads ----------------------------------------------------------------------------

    def _read(self) -> None:
        """Read until a request is under way or nothing more is there.

        What a client sends ahead of its answers waits in the kernel beyond the first bytes.
        """
        most = max(READ_BYTES, self._front.limits.head_bytes + 1)
        while (
            self.readable and not (self.over or self._exchange.active) and len(self.buffer) < most
        ):
            try:
                data = self.sock.recv(READ_BYTES)
            except BlockingIOError:
                self.readable = False
                return
            except OSError:
                data = b""
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        """Take what was read."""
        if not data:
            self._vanish()
            return
        self.readable = self.gone or len(data) == READ_BYTES
        self.buffer = self.buffer + data if self.buffer else data
        if self.arrival is not None or self._proxy_header():
            self.serve()

    def _wait_for_head(self) -> None:
        """Count from a head's first byte; for the first one, from the connection's beginning."""
        due = self._plane.now + self._front.limits.head_timeout
        if due < self.due:
            self.due = due
        self._exchange.hear()

    def _proxy_header(self) -> bool:
        """Swallow the PROXY header; False while it is not whole, or the connection is refused."""
        verdict = sniff_header(self.buffer)
        if isinstance(verdict, NeedMore):
            return False
        peer = self._peer
        if isinstance(verdict, Reject):
            self._front.refused("proxy", verdict.reason, peer)
            self._close()
            return False
        header = verdict.value
        local = header.local or self.sock.getsockname()[:2]
        self._arrival = Arrival(header.client or peer, local, peer, header.tlvs)
        self.buffer = self.buffer[verdict.consumed :]
        self.due = self._plane.now + self._front.limits.head_timeout
        return True

    def serve(self) -> None:
        """Serve the request at the beginning of the buffer, if its head is whole."""
        data = self.buffer
        if data[:2] == b"\r\n":
            # An empty line before a request is let pass (RFC 9112 section 2.2).
            self.buffer = data = data[2:]
        end = data.find(b"\r\n\r\n") + 4
        limits = self._front.limits
        if end < 4:
            refusal = None
            self._wait_for_head()
            if data != b"\r":
                refusal = refuse_beginning(data, limits.head_bytes, limits.head_fields)
        elif end > limits.head_bytes:
            refusal = Refusal(431, f"the request head is longer than {limits.head_bytes} bytes")
        else:
            request = read_head(data[:end], limits.head_fields)
            if isinstance(request, Request) and self.arrival is not None:
                self._route(request, self.arrival, data, end)
                return
            refusal = request if isinstance(request, Refusal) else None
        if refusal is not None:
            self._refuse(refusal)

    def _route(self, request: Request, arrival: Arrival, data: bytes, end: int) -> None:
        """Have the request routed and begin its exchange, or answer it."""
        front, exchange = self._front, self._carrier()
        self.request = request
        self.began = self._plane.now
        self.closing = front.draining or not request.keep_alive
        body = None
        if request.length != NO_BODY:
            try:
                body = begin_body(request.length, data, end)
            except ChunkError as error:
                self._refuse(Refusal(400, f"the request's body is malformed: {error}"))
                return
            end = body.end
        self.buffer = data[end:]
        target = front.route(request, arrival)
        if not isinstance(target, Target):
            exchange.forget()
            self._answer(target, whole=body is None or body.left == NO_BODY)
            return
        if target.forwarded == "append" and request.rewrite == KEEP:
            lines = joined(arrival.client[0], arrival.local[1], request.authority, target.proto)
            first = request.head[:-2] + lines + b"\r\n"
        else:
            first = outgoing(request, *lines_for(request, arrival, target.forwarded, target.proto))
        extras = target.extras
        if extras is not None and extras.outgoing is not None:
            first = extras.outgoing(request, arrival, first)
        if body is None:
            self.due = self._plane.now + target.server_timeout
            front.learn(request, arrival, target)
            exchange.start(request, target, arrival, first)
            return
        first += data[len(request.head) : end]
        self.due = self._patience(target, both=body.left != NO_BODY)
        exchange.start(request, target, arrival, first, body.left, body.follower)

    def renew(self) -> None:
        """Have the next request carried by an exchange of the kind that the front makes now."""
        if not self._exchange.active and self._relay is None:
            self._exchange = IDLE

    def _carrier(self) -> Exchange:
        """Give the exchange that serves this connection's requests in turn."""
        if self._exchange is IDLE:
            self._exchange = self._front.exchange_for(self)
        return self._exchange

    def _again(self) -> None:
        """Serve what the client sent ahead, after others had their turn."""
        self.turned = False
        if self.buffer and not (self.over or self._exchange.active):
            self.serve()
        self._read()
