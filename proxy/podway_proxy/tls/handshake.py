"""A TLS handshake on the plane, on either side of a connection."""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from podway_proxy.plane.plane import Plane
    from podway_proxy.tls.stream import TlsStream


class Handshake:
    """Shakes hands until it is done, fails, or `timeout` seconds are over.

    `on_done(stream)` or `on_failed(stream, reason)` is called once, possibly before the
    constructor returns; neither after `cancel`. The stream stays watched: its next owner must try
    to read by itself. When it failed, an alert was sent already where TLS has one for it.
    """

    __slots__ = ("_on_done", "_on_failed", "_plane", "over", "stream")

    def __init__(
        self,
        plane: Plane,
        stream: TlsStream,
        on_done: Callable[[TlsStream], None],
        on_failed: Callable[[TlsStream, str], None],
        timeout: float,
    ) -> None:
        self._plane = plane
        self._on_done = on_done
        self._on_failed = on_failed
        self.stream = stream
        self.over = False
        stream.plane = plane
        plane.deadline(self, plane.now + timeout)
        plane.watch(stream.fileno(), self._on_event)
        self._step()

    def cancel(self) -> None:
        """Give up without calling anybody, and cut the connection."""
        if not self.over:
            self._finish()
            self._plane.abort(self.stream)

    def on_deadline(self) -> None:
        """Fail: the peer had its time."""
        self._fail("the handshake was not over in time")

    def _on_event(self, _mask: int) -> None:
        if not self.over:
            self._step()

    def _step(self) -> None:
        try:
            self.stream.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except (OSError, ValueError) as error:
            self._fail(words(error))
            return
        self._finish()
        self._on_done(self.stream)

    def _fail(self, reason: str) -> None:
        self._finish()
        self._on_failed(self.stream, reason)

    def _finish(self) -> None:
        self.over = True
        self._plane.deadline(self, math.inf)


def words(error: Exception) -> str:
    """Give a handshake's error as people can read it, without the place in OpenSSL's source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError):
        return "the peer ended the connection in the handshake"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)


def wrap(context: ssl.SSLContext, sock: socket.socket, server_name: str | None = None) -> TlsStream:
    """Make a stream of a connected, non-blocking socket; the handshake is still to come.

    With `server_name` it is the client's side, and the name is sent as SNI. Raises OSError or
    ValueError when the peer is gone already.
    """
    from podway_proxy.tls.stream import TlsStream

    context.sslsocket_class = TlsStream
    stream = context.wrap_socket(
        sock,
        server_side=server_name is None,
        do_handshake_on_connect=False,
        suppress_ragged_eofs=False,
        server_hostname=server_name,
    )
    assert isinstance(stream, TlsStream)  # noqa: S101 - sslsocket_class says so
    return stream
