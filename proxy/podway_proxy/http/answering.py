"""How a client is answered: by an exchange whose asker it is, or by podway itself; and its end."""

from __future__ import annotations

import math
import socket
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from podway_proxy.http.answer import CUT, Answer, refused
from podway_proxy.http.asker import AnyFlow
from podway_proxy.http.chunked_flow import ChunkedFlow
from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.exchange import Exchange
from podway_proxy.http.hop import CLOSE, USUAL, incoming
from podway_proxy.http.refuse import Refusal
from podway_proxy.http.request import UNTIL_CLOSE, Request
from podway_proxy.http.response import Response
from podway_proxy.http.target import Target
from podway_proxy.plane.copying import relay_between
from podway_proxy.plane.parting import Farewell, Reset
from podway_proxy.plane.plane import Plane
from podway_proxy.plane.relay import Ended, Relay
from podway_proxy.values import Address, Arrival

if TYPE_CHECKING:
    from podway_proxy.http.front import HttpFront

DISCARD = 1 << 26
"""Bytes of an unwanted body read away so that the client sees its answer; the time is bounded."""


class Answering(ABC):
    """A client's connection as far as answers go; reading its requests builds on it."""

    __slots__ = (
        "_arrival",
        "_exchange",
        "_front",
        "_peer",
        "_plane",
        "_relay",
        "began",
        "buffer",
        "closing",
        "due",
        "gone",
        "over",
        "readable",
        "request",
        "sock",
        "turned",
    )

    request: Request
    """The request under way, or the last one."""

    _arrival: Arrival | None
    """How it arrived, once it was asked for, or its PROXY header or TLS has told."""
    began: float
    """When the request under way was read."""
    buffer: bytes
    """Bytes that came and belong to nothing yet."""
    closing: bool
    """The answer under way is the last one."""
    due: float
    """When the front's sweep calls `expire`; put off by an assignment."""
    gone: bool
    """An edge has told of the end of what the client sends."""
    over: bool
    readable: bool
    sock: socket.socket
    turned: bool
    """What is buffered waits for its turn: nothing is read before it."""
    _exchange: Exchange
    _front: HttpFront
    _peer: Address
    """Asked for when it came: the kernel no longer knows it once the client has reset."""
    _plane: Plane
    _relay: Relay | None

    @property
    def arrival(self) -> Arrival | None:
        """How it arrived; None: a PROXY header comes first."""
        if self._arrival is None and self._front.takes_proxy is None:
            local = self._front.local or self.sock.getsockname()[:2]
            self._arrival = Arrival(self._peer, local, self._peer)
        return self._arrival

    @property
    def served(self) -> bool:
        """A request has come on this connection before."""
        return hasattr(self, "request")

    @abstractmethod
    def expire(self) -> None:
        """Act on a deadline that is over (called by the front's sweep)."""

    @abstractmethod
    def _read(self) -> None:
        """Read until a request is under way or nothing more is there."""

    @abstractmethod
    def _again(self) -> None:
        """Serve what the client sent ahead, after others had their turn."""

    # ---- answers of our own ---------------------------------------------------------------

    def _refuse(self, refusal: Refusal) -> None:
        """Answer a head that is not served, and end: nobody knows where the next would begin."""
        self._say_farewell(refused(refusal))

    def _say_farewell(self, answer: Answer) -> None:
        """Answer bytes that did not become a request."""
        front = self._front
        page = front.page(answer, self.buffer, True)
        front.answered_unread(self, self._exchange, answer, len(page))
        self._part(page)

    def _answer(self, answer: Answer, whole: bool) -> None:
        """Answer a request whose head was read. `whole`: its body was read, too."""
        front = self._front
        if answer.status == CUT:
            front.aborted(self, self._exchange, answer.reason)
            self._end()
            self._plane.abort(self.sock)
            return
        self.closing = self.closing or not whole
        page = front.page(answer, self.request.head, self.closing)
        front.answered(self, self._exchange, answer, len(page))
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
            self.turned = True
            self._plane.soon(self._again)
        elif self.readable:
            self._read()

    def _patience(self, target: Target, both: bool) -> float:
        """Give when to look at an exchange; `both`: the client may be slow, too."""
        if both and self._front.limits.client_timeout < target.server_timeout:
            return self._plane.now + self._front.limits.client_timeout
        return self._plane.now + target.server_timeout

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

        def ended(how: Ended) -> None:
            front.tunnelled(self, exchange, how)
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
        busy = self._exchange.active or self._relay is not None or self.buffer
        if not (self.over or busy):
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

    def _vanish(self, late: bool = False) -> None:
        """End without a whole request; the front may want a `late` client to be told so."""
        answer = self._front.unheard(self, self._exchange, late)
        if answer is None:
            self._close()
        else:
            self._say_farewell(answer)

    def _close(self) -> None:
        self._end()
        self._plane.close(self.sock)

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self._front.ended(self)
