"""A client's connection: reads request heads, has each routed, and takes the answers back.

The stages of a connection: a PROXY header where one is due; then, in turn, a head and an
exchange; at the end a farewell, or a relay after an upgrade.
"""

from __future__ import annotations

import math
import socket
from typing import TYPE_CHECKING

from podway_proxy.http.answer import CUT, Answer, refused, render
from podway_proxy.http.asker import AnyFlow
from podway_proxy.http.chunked_flow import ChunkedFlow
from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.exchange import Exchange
from podway_proxy.http.forwarded import joined, lines_for
from podway_proxy.http.framing import ChunkError, begin_body
from podway_proxy.http.head import read_head
from podway_proxy.http.hop import CLOSE, USUAL, incoming, outgoing
from podway_proxy.http.refuse import Refusal, refuse_beginning
from podway_proxy.http.request import KEEP, NO_BODY, UNTIL_CLOSE, Request
from podway_proxy.http.response import Response
from podway_proxy.http.target import Target
from podway_proxy.plane.copying import relay_between
from podway_proxy.plane.parting import Farewell, Reset
from podway_proxy.plane.plane import GONE, READ
from podway_proxy.plane.relay import Ended, Relay
from podway_proxy.proxy_protocol import sniff_header
from podway_proxy.values import Address, Arrival
from podway_proxy.verdict import NeedMore, Reject

if TYPE_CHECKING:
    from podway_proxy.http.front import HttpFront

READ_BYTES = 32_768
"""Most bytes taken at once while a head is awaited: the longest head, and some body behind it."""
DISCARD = 1 << 26
"""Bytes of an unwanted body read away so that the client sees its answer; the time is bounded."""


class Client:
    """See the module."""

    __slots__ = (
        "_exchange",
        "_front",
        "_peer",
        "_plane",
        "_relay",
        "arrival",
        "began",
        "buffer",
        "closing",
        "due",
        "gone",
        "over",
        "readable",
        "request",
        "sock",
    )

    request: Request
    """The request under way, or the last one."""

    def __init__(self, front: HttpFront, sock: socket.socket, peer: Address) -> None:
        self._front = front
        self._plane = plane = front.plane
        self.sock = sock
        self._peer = peer
        """Asked for when it came: the kernel no longer knows it once the client has reset."""
        self.buffer = b""
        """Bytes that came and belong to nothing yet."""
        self.readable = False
        self.gone = False
        """An edge has told of the end of what the client sends."""
        self.closing = False
        """The answer under way is the last one."""
        self.over = False
        self.began = plane.now
        """When the request under way was read."""
        self.arrival: Arrival | None = None
        """None: a PROXY header comes first."""
        self._exchange = Exchange(self, plane, front.pool, front.limits.head_bytes)
        self._relay: Relay | None = None
        self.due: float
        """When the front's sweep calls `expire`; put off by an assignment."""
        if front.takes_proxy is None:
            self.arrival = Arrival(peer, front.local or sock.getsockname()[:2], peer)
            self.due = plane.now + front.limits.head_timeout
        else:
            self.due = plane.now + front.limits.proxy_timeout
        plane.watch(sock.fileno(), self._on_event)

    # ---- edges and time -------------------------------------------------------------------

    def _on_event(self, mask: int) -> None:
        if mask & READ:
            self.readable = True
            if mask & GONE:
                self.gone = True
        if self._exchange.active:
            self._exchange.on_client(mask)
        elif self.readable:
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
            self._close()

    # ---- heads ----------------------------------------------------------------------------

    def _read(self) -> None:
        """Read until a request is under way or nothing more is there.

        What a client sends ahead of its answers waits in the kernel beyond the first bytes.
        """
        while (
            self.readable
            and not (self.over or self._exchange.active)
            and len(self.buffer) < READ_BYTES
        ):
            try:
                data = self.sock.recv(READ_BYTES)
            except BlockingIOError:
                self.readable = False
                return
            except OSError:
                self._close()
                return
            if not data:
                self._close()
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
        self.arrival = Arrival(header.client or peer, local, peer, header.tlvs)
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
        front = self._front
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
            self._exchange.forget()
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
            self._exchange.start(request, target, arrival, first)
            return
        first += data[len(request.head) : end]
        self.due = self._patience(target, both=body.left != NO_BODY)
        self._exchange.start(request, target, arrival, first, body.left, body.follower)

    def _patience(self, target: Target, both: bool) -> float:
        """Give when to look at an exchange; `both`: the client may be slow, too."""
        if both and self._front.limits.client_timeout < target.server_timeout:
            return self._plane.now + self._front.limits.client_timeout
        return self._plane.now + target.server_timeout

    # ---- answers of our own ---------------------------------------------------------------

    def _refuse(self, refusal: Refusal) -> None:
        """Answer a head that is not served, and end: nobody knows where the next would begin."""
        self._say_farewell(refused(refusal))

    def _say_farewell(self, answer: Answer) -> None:
        """Answer bytes that did not become a request."""
        front = self._front
        front.answered_unread(self, answer)
        self._part(render(answer, self.buffer, front.server_name, True, front.explain))

    def _answer(self, answer: Answer, whole: bool) -> None:
        """Answer a request whose head was read. `whole`: its body was read, too."""
        front = self._front
        if answer.status == CUT:
            front.aborted(self, self._exchange, answer.reason)
            self._end()
            self._plane.abort(self.sock)
            return
        self.closing = self.closing or not whole
        page = render(answer, self.request.head, front.server_name, self.closing, front.explain)
        front.answered(self, self._exchange, answer)
        if self.closing:
            self._part(page)
        else:
            self._exchange.deliver(page)

    # ---- the asker's side of an exchange ---------------------------------------------------

    def took(self, flow: AnyFlow) -> None:
        """Take over from the flow that read the request's body."""
        self.readable = self.readable or flow.readable or self.gone
        if isinstance(flow, ChunkedFlow):
            self.buffer = flow.surplus

    def flowing(self) -> None:
        """Look after the shorter of the two time-outs."""
        self.due = self._patience(self._exchange.target, both=True)

    def answer_head(self, response: Response, data: bytes, end: int) -> bytes:
        """Make the head in `data[:end]` fit for the client; most need no change at all."""
        exchange = self._exchange
        if (extras := exchange.target.extras) is not None:
            who = self.request, self.arrival, response, exchange.endpoint
            data, end = extras.dress(*who, data, end)
        modern = self.request.modern
        length = response.length
        final = response.status >= 200
        if final and (not self._exchange.sent or length == UNTIL_CLOSE or self._front.draining):
            self.closing = True
        if length < 0 and not modern:
            self.closing = True
        keep_alive = not self.closing
        if modern and response.modern:
            if keep_alive and not response.hop:
                return data
            if response.hop == 1 and final:
                at = data.find(USUAL, 0, end)
                if at >= 0:
                    rest = data[at + len(USUAL) - 2 :]
                    return data[:at] + (rest if keep_alive else CLOSE + rest)
        return incoming(data[:end], response, keep_alive=keep_alive, modern=modern) + data[end:]

    def finished(self) -> None:
        """Go on to the next request, or end."""
        exchange = self._exchange
        front = self._front
        if exchange.response is not None:
            front.answered(self, exchange, None)
        if self.closing:
            if self.readable or self.buffer or not exchange.sent:
                self._part(b"")
            else:
                self._close()
            return
        self.due = self._plane.now + front.limits.keepalive_timeout
        if self.buffer:
            self._plane.soon(self._again)
        elif self.readable:
            self._read()

    def _again(self) -> None:
        """Serve what the client sent ahead, after others had their turn."""
        if self.buffer and not (self.over or self._exchange.active):
            self.serve()
        self._read()

    def failed(self, answer: Answer) -> None:
        """Answer in the endpoint's place."""
        exchange = self._exchange
        self._answer(answer, whole=exchange.sent or exchange.complete)

    def cut(self, reason: str) -> None:
        """End with RST once the client's kernel has what was sent before."""
        self._front.aborted(self, self._exchange, reason)
        self._end()
        Reset(self._plane, self.sock)

    def lost(self) -> None:
        """End: the client has gone, or does not read."""
        self._front.aborted(self, self._exchange, "the client left")
        self._end()
        self._plane.abort(self.sock)

    def switch(self, connection: EndpointConnection, to_client: bytes) -> None:
        """Become a tunnel; it counts as this client until it ends."""
        front, exchange = self._front, self._exchange
        front.answered(self, exchange, None)
        target = exchange.target
        connection.user = None
        self.due = math.inf

        def ended(_: Ended) -> None:
            if target.on_close is not None:
                target.on_close(connection.endpoint)
            self._end()

        relay = relay_between(self.sock, connection.sock)(
            self._plane,
            self.sock,
            connection.sock,
            to_server=self.buffer,
            to_client=to_client,
            idle_timeout=target.tunnel_timeout,
            on_done=ended,
        )
        if not relay.over:
            self._relay = relay

    # ---- the end --------------------------------------------------------------------------

    def close_if_idle(self) -> None:
        """Close a connection on which no request is under way."""
        if not (self.over or self._exchange.active or self.buffer):
            self._close()

    def stop(self) -> None:
        """Cut the connection, whatever is under way."""
        if self._relay is not None:
            self._relay.stop()
        elif self._exchange.active:
            self._exchange.abandon()
        else:
            self._end()
            self._plane.abort(self.sock)

    def _part(self, words: bytes) -> None:
        """Send last words and see to it that they arrive."""
        self._end()
        Farewell(self._plane, self.sock, words, DISCARD)

    def _close(self) -> None:
        self._end()
        self._plane.close(self.sock)

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self._front.ended(self)
