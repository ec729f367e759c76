"""HTTP over TLS: a client whose TLS ends here, and connections to endpoints that speak TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.quick import QuickClient
from podway_proxy.plane.plane import GONE, READ
from podway_proxy.tls.handshake import Handshake, wrap
from podway_proxy.tls.stream import RECORD

if TYPE_CHECKING:
    import ssl

    from podway_proxy.http.front import HttpFront
    from podway_proxy.http.pool import Pool
    from podway_proxy.plane.plane import Plane
    from podway_proxy.tls.stream import TlsStream
    from podway_proxy.values import Arrival, Endpoint


class SecureClient(QuickClient):
    """A client whose handshake is over. `begin` once it is known to its front."""

    __slots__ = ()

    sock: TlsStream

    def __init__(self, front: HttpFront, stream: TlsStream, arrival: Arrival) -> None:
        super().__init__(front, stream, arrival.peer)
        self._arrival = arrival
        self.due = front.plane.now + front.limits.head_timeout

    def begin(self) -> None:
        """Take over from the handshake, and read what came with it."""
        self._watch()
        super().begin()

    def _close(self) -> None:
        self.sock.goodbye()
        super()._close()


class SecureConnection(EndpointConnection):
    """A connection to an endpoint, inside TLS."""

    __slots__ = ()

    sock: TlsStream

    def stale(self) -> bool:
        """Tell whether it has ended or said something unasked; session tickets are neither."""
        try:
            self.sock.recv_into(bytearray(1), 1)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def untouched(self, size: int) -> bool:
        """Tell it of one record; OpenSSL does not say how many of several had gone out."""
        return size <= RECORD

    def close(self) -> None:
        """Say goodbye, and close."""
        self.sock.goodbye()
        super().close()

    def _on_event(self, mask: int) -> None:
        if mask & GONE:
            self.gone = True
        if self.user is not None:
            self.user.on_endpoint(mask)
        elif mask & READ and self.stale():
            self.owner.drop(self)


class Wire(NamedTuple):
    """How endpoints are spoken to inside TLS: one value per set of TLS parameters."""

    context: ssl.SSLContext
    server_name: str
    """Sent as SNI."""
    accepts: Callable[[TlsStream], str]
    """Looks at the endpoint's certificate beyond its chain; the reason if it is refused."""
    pool: Pool
    """Connections with these parameters; no other request may use them."""


class Greeting:
    """The handshake with an endpoint that was connected to; has a dial's face (`cancel`).

    `on_done(stream, endpoint)` or `on_failed(endpoint, reason)` is called once, possibly before
    the constructor returns.
    """

    __slots__ = ("_endpoint", "_handshake", "_on_done", "_on_failed", "_plane", "_wire", "over")

    def __init__(
        self,
        plane: Plane,
        sock: socket.socket,
        endpoint: Endpoint,
        wire: Wire,
        on_done: Callable[[TlsStream, Endpoint], None],
        on_failed: Callable[[Endpoint, str], None],
        timeout: float,
    ) -> None:
        self._plane = plane
        self._endpoint = endpoint
        self._wire = wire
        self._on_done = on_done
        self._on_failed = on_failed
        self._handshake: Handshake | None = None
        self.over = False
        try:
            stream = wrap(wire.context, sock, wire.server_name)
        except (OSError, ValueError) as error:
            plane.close(sock)
            self._fail(f"TLS: {error}")
            return
        handshake = Handshake(plane, stream, self._greeted, self._failed, timeout)
        if not handshake.over:
            self._handshake = handshake

    def cancel(self) -> None:
        """Give up without calling anybody."""
        self.over = True
        if self._handshake is not None:
            self._handshake.cancel()

    def _greeted(self, stream: TlsStream) -> None:
        why = self._wire.accepts(stream)
        if why:
            self._failed(stream, why)
            return
        self.over = True
        self._on_done(stream, self._endpoint)

    def _failed(self, stream: TlsStream, reason: str) -> None:
        self._plane.close(stream)
        self._fail(f"TLS: {reason}")

    def _fail(self, reason: str) -> None:
        self.over = True
        self._on_failed(self._endpoint, reason)
