"""Where clients' TLS ends: from a decided connection to a decrypted one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from podway_proxy.plane.parting import Farewell
from podway_proxy.tls.handshake import Handshake, words, wrap
from podway_proxy.tls.names import subject
from podway_proxy.tls.stream import raw
from podway_proxy.values import Arrival, Secured

if TYPE_CHECKING:
    import socket
    import ssl

    from podway_proxy.plane.plane import Plane
    from podway_proxy.tls.stream import TlsStream


class Entrance:
    """The handshakes under way.

    `on_secured(stream, arrival)` gets each connection whose handshake is done, its `arrival.tls`
    filled in; `on_failed(arrival, reason)` is told of the others, which have ended by then.
    """

    def __init__(
        self,
        plane: Plane,
        on_secured: Callable[[TlsStream, Arrival], None],
        on_failed: Callable[[Arrival, str], None],
    ) -> None:
        self._plane = plane
        self._on_secured = on_secured
        self._on_failed = on_failed
        self._open: set[Handshake] = set()

    @property
    def active(self) -> int:
        """Handshakes that are not over."""
        return len(self._open)

    def stop(self) -> None:
        """Cut them all."""
        for one in self._open:
            one.cancel()
        self._open.clear()

    def take(
        self,
        context: ssl.SSLContext,
        server_name: str | None,
        timeout: float,
        sock: socket.socket,
        arrival: Arrival,
    ) -> None:
        """Begin the handshake on `sock`, whose next unread byte is the hello's first."""
        try:
            stream = wrap(context, sock)
        except (OSError, ValueError) as error:
            self._plane.close(sock)
            self._on_failed(arrival, words(error))
            return
        Passage(self, stream, arrival, server_name, timeout)

    # ---- called by the passages ----------------------------------------------------------------

    def began(self, handshake: Handshake) -> None:
        """Note one that is not over at once."""
        self._open.add(handshake)

    def secured(
        self, handshake: Handshake | None, stream: TlsStream, arrival: Arrival, name: str | None
    ) -> None:
        """Hand a decrypted connection on."""
        if handshake is not None:
            self._open.discard(handshake)
        self._on_secured(stream, _secured(arrival, stream, name))

    def failed(
        self, handshake: Handshake | None, stream: TlsStream, arrival: Arrival, reason: str
    ) -> None:
        """End a connection; what OpenSSL had to say about it (an alert) is on its way."""
        if handshake is not None:
            self._open.discard(handshake)
        Farewell(self._plane, raw(stream), b"")
        self._on_failed(arrival, reason)

    @property
    def plane(self) -> Plane:
        """The plane that the handshakes run on."""
        return self._plane


class Passage:
    """One connection on its way through."""

    __slots__ = ("_arrival", "_entrance", "_handshake", "_name")

    def __init__(
        self,
        entrance: Entrance,
        stream: TlsStream,
        arrival: Arrival,
        name: str | None,
        timeout: float,
    ) -> None:
        self._entrance = entrance
        self._arrival = arrival
        self._name = name
        self._handshake: Handshake | None = None
        handshake = Handshake(entrance.plane, stream, self._done, self._failed, timeout)
        if not handshake.over:
            self._handshake = handshake
            entrance.began(handshake)

    def _done(self, stream: TlsStream) -> None:
        handshake, self._handshake = self._handshake, None
        self._entrance.secured(handshake, stream, self._arrival, self._name)

    def _failed(self, stream: TlsStream, reason: str) -> None:
        handshake, self._handshake = self._handshake, None
        self._entrance.failed(handshake, stream, self._arrival, reason)


def _secured(arrival: Arrival, stream: TlsStream, name: str | None) -> Arrival:
    peer: Any = stream.getpeercert() if stream.context.verify_mode else None
    certificate = (stream.getpeercert(binary_form=True) or b"") if peer else b""
    cipher = stream.cipher()
    tls = Secured(
        name,
        stream.version() or "",
        certificate,
        subject(peer) if peer else "",
        cipher[0] if cipher else "",
    )
    return Arrival(arrival.client, arrival.local, arrival.peer, arrival.tlvs, tls)
