"""How an exchange begins: its state, and a connection to send its request on, kept or new."""

from __future__ import annotations

import itertools
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podway_proxy.gate import STEP
from podway_proxy.http.asker import AnyFlow, Asker
from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.extras import chosen
from podway_proxy.http.framing import Chunked
from podway_proxy.http.pool import Pool
from podway_proxy.http.request import IDEMPOTENT, NO_BODY, Request
from podway_proxy.http.response import Response
from podway_proxy.http.target import Target
from podway_proxy.plane.dial import Dial
from podway_proxy.plane.plane import Plane
from podway_proxy.values import Arrival, Endpoint

if TYPE_CHECKING:
    from podway_proxy.gate import Gate
    from podway_proxy.http.secure import Greeting
    from podway_proxy.tls.stream import TlsStream

NOWHERE = Target()


class Finding(ABC):
    """What an exchange knows of its request, and how it comes to a connection."""

    __slots__ = (
        "_ahead",
        "_asker",
        "_begun",
        "_candidates",
        "_first",
        "_follower",
        "_head_bytes",
        "_heard",
        "_interim",
        "_left",
        "_plain",
        "_plane",
        "_pool",
        "_refused",
        "_replayable",
        "_rest",
        "_since",
        "active",
        "attempts",
        "connection",
        "dial",
        "download",
        "endpoint",
        "request",
        "response",
        "sent",
        "target",
        "upload",
    )

    _candidates: Iterator[Endpoint]
    request: Request
    target: Target
    response: Response | None
    """The endpoint's answer; None: there is none yet, or it was not passed on."""
    sent: bool
    """The whole request is with the endpoint's kernel."""
    attempts: int
    """Connections that this request was sent on."""
    endpoint: Endpoint | None
    """Who answered, or was asked last."""

    def __init__(self, asker: Asker, plane: Plane, pool: Pool, head_bytes: int) -> None:
        self._asker = asker
        self._plane = plane
        self._pool = self._plain = pool
        self._head_bytes = head_bytes
        """Longest head of an answer."""
        self.active = False
        self.connection: EndpointConnection | None = None
        self.dial: Dial | Greeting | Gate | None = None
        """What stands between the request and its connection."""
        self.upload: AnyFlow | None = None
        self.download: AnyFlow | None = None
        self.forget()

    def forget(self) -> None:
        """Know nothing of the request before: this one is answered without an endpoint."""
        self.target = NOWHERE
        self.attempts = 0
        self.response = None
        self.endpoint = None
        self.sent = True
        self._left = NO_BODY

    @property
    def complete(self) -> bool:
        """The client's socket holds no byte of this request any more."""
        return self.sent or self._left == NO_BODY

    @property
    def queued(self) -> bool:
        """The request waits for an endpoint to have room."""
        return self.dial is not None and self.dial is self.target.gate

    def start(
        self,
        request: Request,
        target: Target,
        arrival: Arrival,
        first: bytes,
        left: int = NO_BODY,
        follower: Chunked | None = None,
    ) -> None:
        """Carry out one request of the client that came so.

        `first` is the head as the endpoint gets it and what has come of the body; `left` is how
        much of the body the client's socket still holds: bytes, or CHUNKED with its `follower`.
        """
        self.prepare(request, target, chosen(request, target, arrival), first, left, follower)
        if target.gate is None:
            self._next()
        else:
            self._enter(target.gate)

    def prepare(
        self,
        request: Request,
        target: Target,
        candidates: Iterator[Endpoint],
        first: bytes,
        left: int = NO_BODY,
        follower: Chunked | None = None,
    ) -> None:
        """Know all of a request, and have no connection for it yet."""
        self.request = request
        self.target = target
        self._pool = self._plain if target.wire is None else target.wire.pool
        self._refused: tuple[tuple[Endpoint, str], ...] = ()
        """Endpoints that were connected to and with which no TLS came about."""
        self.active = True
        self._first = first
        self._left = left
        self._follower = follower
        self._candidates = candidates
        self._replayable = True
        """No byte of the body was read that is not in `first`."""
        self._rest = self._heard = self._ahead = b""
        self._interim = self.attempts = 0
        self._begun = False
        self._since = self._plane.now
        self.sent = False
        self.response = None
        self.endpoint = None

    @abstractmethod
    def on_endpoint(self, mask: int) -> None:
        """Take an edge of the endpoint's socket."""

    @abstractmethod
    def _read_answer(self) -> None:
        """Read what the endpoint has said so far."""

    @abstractmethod
    def _send(self, connection: EndpointConnection) -> None:
        """Send the request on a connection that takes bytes at once."""

    @abstractmethod
    def _send_on(self, connection: EndpointConnection, rest: bytes) -> None:
        """Send what of the request the kernel did not take, and the body still to come."""

    @abstractmethod
    def _fail(self, status: int, step: str, reason: str, detail: str = "") -> None:
        """End with an answer of our own."""

    # ---- finding a connection -------------------------------------------------------------

    def _enter(self, gate: Gate) -> None:
        """Go on when an endpoint has room."""
        candidates = gate.enter(self._candidates, self._admitted, self._turned_away)
        if candidates is None:
            self.dial = gate
        else:
            self._admitted(candidates)

    def _admitted(self, candidates: Iterator[Endpoint]) -> None:
        self.dial = None
        self._since = self._plane.now
        self._candidates = candidates
        self._next()

    def _turned_away(self, reason: str) -> None:
        self.dial = None
        self._fail(503, STEP, f"{self._what()}: {reason}")

    def _next(self) -> None:
        """Send to the first candidate, over a kept connection if there is one."""
        endpoint = next(self._candidates, None)
        if endpoint is None:
            self._fail(503, "no-endpoint", f"{self._what()} has no endpoint to send this to")
            return
        kept = self._pool.take(endpoint)
        if self._left or self.request.method not in IDEMPOTENT:
            while kept is not None and kept.stale():
                kept.close()
                kept = self._pool.take(endpoint)
        if kept is None:
            self.connect(endpoint)
            return
        kept.user = self
        self.connection = kept
        self.endpoint = endpoint
        self.attempts += 1
        if self.target.on_open is not None:
            self.target.on_open(endpoint)
        self._send(kept)

    def connect(self, endpoint: Endpoint) -> None:
        """Dial `endpoint` and, should that fail, the candidates after it."""
        self.endpoint = endpoint
        plain = self.target.wire is None
        dial = Dial(
            self._plane,
            itertools.chain((endpoint,), self._candidates),
            self._connected if plain else self._greet,
            self._unreachable,
            self.target.connect_timeout,
            on_failure=self.target.on_failure,
            first=self._first if plain else b"",
            on_rest=self._hold,
        )
        if not dial.over:
            self.dial = dial

    def _hold(self, rest: bytes) -> None:
        self._rest = rest

    def _connected(self, sock: socket.socket, endpoint: Endpoint) -> None:
        self.dial = None
        connection = EndpointConnection(self._plane, sock, endpoint, self, self._pool)
        self._use(connection)
        rest, self._rest = self._rest, b""
        self._send_on(connection, rest)
        if connection.missed and self.connection is connection:
            self._read_answer()

    def _greet(self, sock: socket.socket, endpoint: Endpoint) -> None:
        """Shake hands with an endpoint that speaks TLS."""
        from podway_proxy.http.secure import Greeting  # imports ssl: only where it is used

        self.dial = None
        wire = self.target.wire
        if wire is not None:
            done, failed = self._greeted, self._ungreeted
            timeout = self.target.connect_timeout
            greeting = Greeting(self._plane, sock, endpoint, wire, done, failed, timeout)
            if not greeting.over:
                self.dial = greeting

    def _greeted(self, stream: TlsStream, endpoint: Endpoint) -> None:
        from podway_proxy.http.secure import SecureConnection

        self.dial = None
        connection = SecureConnection(self._plane, stream, endpoint, self, self._pool)
        self._use(connection)
        self._send(connection)
        if self.connection is connection and self.response is None:
            self._read_answer()

    def _ungreeted(self, endpoint: Endpoint, reason: str) -> None:
        """Go on to the next candidate: this one got nothing of the request."""
        self.dial = None
        self._refused = (*self._refused, (endpoint, reason))
        if self.target.on_failure is not None:
            self.target.on_failure(endpoint, reason)
        following = next(self._candidates, None)
        if following is None:
            self._unreachable([])
        else:
            self.connect(following)

    def _unreachable(self, failures: list[tuple[Endpoint, str]]) -> None:
        self.dial = None
        tried = "; ".join(f"{endpoint}: {why}" for endpoint, why in (*self._refused, *failures))
        self._fail(503, "connect", f"{self._what()}: no endpoint could be connected to", tried)

    def _use(self, connection: EndpointConnection) -> None:
        self.connection = connection
        self.endpoint = connection.endpoint
        self.attempts += 1
        if self.target.on_open is not None:
            self.target.on_open(connection.endpoint)

    def _what(self) -> str:
        return self.target.label or "the route"
