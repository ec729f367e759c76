"""How a connection is left without losing what was said last."""

from __future__ import annotations

import contextlib
import fcntl
import math
import socket
import termios
from typing import TYPE_CHECKING, Final

from podway_proxy.plane.plane import READ

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane

LINGER: Final = 2.0
"""Seconds in which a refused client may take its answer and close (RFC 9112 section 9.6 has why:
closing with unread bytes sends RST, which makes the client's kernel drop the answer)."""
DISCARD: Final = 65_536
"""Most bytes that are read and thrown away for it."""
READ_RAW: Final = socket.socket.recv_into
"""Below TLS, if there is any: what is thrown away need not be understood, and OpenSSL takes bytes
of an upload behind our close_notify for an error."""


class Farewell:
    """Send last words, then FIN, read away what still comes, close when the client has closed."""

    __slots__ = ("_left", "_plane", "_sock")

    def __init__(
        self, plane: Plane, sock: socket.socket, words: bytes, discard: int = DISCARD
    ) -> None:
        self._plane = plane
        self._sock = sock
        self._left = discard
        # Last words are short and the first thing sent here: the socket's buffer has room.
        with contextlib.suppress(OSError):  # the client is gone: reading will tell
            sock.send(words)
            sock.shutdown(socket.SHUT_WR)
        plane.deadline(self, plane.now + LINGER)
        plane.watch(sock.fileno(), self._on_event)
        self._discard()

    def on_deadline(self) -> None:
        """Close: there was time enough."""
        self._plane.close(self._sock)

    def _on_event(self, mask: int) -> None:
        if mask & READ:
            self._discard()

    def _discard(self) -> None:
        try:
            while self._left > 0:
                got = READ_RAW(self._sock, self._plane.buffer, min(self._left, DISCARD))
                if not got:
                    break
                self._left -= got
        except BlockingIOError:
            return
        except OSError:
            self._left = 0
        self._plane.deadline(self, math.inf)
        self._plane.close(self._sock)


class Reset:
    """Close with RST as soon as the kernel has delivered what it was given before.

    RST discards the socket's send buffer at once, so bytes that the other side sent before its
    own reset would be lost on the way; bounded by `fin_timeout`.
    """

    __slots__ = ("_plane", "_sock", "_until")

    def __init__(self, plane: Plane, sock: socket.socket) -> None:
        self._plane = plane
        self._sock = sock
        self._until = plane.now + plane.limits.fin_timeout
        plane.unwatch(sock.fileno())
        self.on_deadline()

    def on_deadline(self) -> None:
        """Reset if nothing is under way any more or time is up, else look again."""
        if self._unsent() and self._plane.now < self._until:
            self._plane.deadline(self, self._plane.now)
        else:
            self._plane.abort(self._sock)

    def _unsent(self) -> bool:
        """Tell whether the peer has not yet acknowledged all (SIOCOUTQ, tcp(7))."""
        try:
            return fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0") != b"\0\0\0\0"
        except OSError:
            return False
