"""A TLS connection that behaves as a non-blocking socket does.

`recv_into`, `recv` and `send` mean what they mean on TCP: BlockingIOError when nothing can be done
now, a short read only when the kernel has no more at the moment, b"" at the peer's close_notify.
A FIN without close_notify is an error: nobody may take a torso for the whole.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
from fcntl import ioctl
from termios import FIONREAD
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane

RECORD: Final = 16_384
"""Plain bytes in one record at most (RFC 8446 section 5.1)."""

RECORDS: Final = 256
"""Most records read at once: reading one takes 2 us, however short it is, and a peer may send one
for each byte."""

NOTHING: Final = bytes(4)
"""What FIONREAD says of a socket without bytes to read (tcp(7), SIOCINQ)."""


class TlsStream(ssl.SSLSocket):
    """See the module. Made by a context's `wrap_socket`; `plane` is set by who wraps."""

    plane: Plane | None = None
    _sslobj: Any
    """OpenSSL's connection, below what ssl.SSLSocket adds: 1 us less for each call."""
    _ended = False
    _fault: OSError | None = None

    # ---- reading ---------------------------------------------------------------------------

    def recv(self, buflen: int = RECORD, flags: int = 0) -> bytes:
        """Give up to `buflen` bytes; fewer only when no more are there."""
        plane = self.plane
        if plane is not None and buflen <= len(plane.buffer):
            return bytes(plane.view[: self.recv_into(plane.buffer, buflen, flags)])
        buffer = bytearray(buflen)
        return bytes(memoryview(buffer)[: self.recv_into(buffer, buflen, flags)])

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Fill `buffer` as far as there are bytes; 0 at the end.

        After RECORDS records it is enough for once: the owner is called again, as by an edge.
        """
        del flags  # none has a meaning inside TLS
        if self._fault is not None:
            raise self._fault
        if self._ended:
            return 0
        size, engine = nbytes or len(buffer), self._sslobj or self._gone()
        try:
            got: int = engine.read(size, buffer)
        except OSError as error:
            return self._stopped(error, 0)
        if not got:
            self._ended = True
            return 0
        # To ask whether nothing is left, here or in the kernel, is cheaper than a read that fails.
        if got == size or (
            not engine.pending() and ioctl(self.fileno(), FIONREAD, NOTHING) == NOTHING
        ):
            return got
        return self._read_on(engine, memoryview(buffer), size, got)

    def _read_on(self, engine: Any, view: memoryview, size: int, got: int) -> int:
        """Read behind the first `got` bytes until nothing is there any more, or enough records."""
        for _ in range(RECORDS):
            if got == size:
                return got
            try:
                more = engine.read(size - got, view[got:])
            except OSError as error:
                return self._stopped(error, got)
            if not more:
                self._ended = True
                self._tell(got)
                return got
            got += more
        self._pause()
        return got

    def _pause(self) -> None:
        """Give nothing more until others had their turn; no edge would tell of what is left."""
        if self.plane is not None:
            self._fault = BlockingIOError(errno.EAGAIN, "it is the turn of others")
            self.plane.soon(self._go_on)

    def _go_on(self) -> None:
        self._fault = None
        if self.plane is not None:
            self.plane.rouse(self.fileno())

    def _stopped(self, error: OSError, got: int) -> int:
        """Give what a read comes to that has failed after `got` bytes."""
        if isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):
            if got:
                return got
            raise BlockingIOError(errno.EAGAIN, "no whole record is there") from None
        if isinstance(error, ssl.SSLZeroReturnError):
            self._ended = True
        elif got:
            self._fault = error
        else:
            raise error
        self._tell(got)
        return got

    def _gone(self) -> Any:
        raise ValueError("the TLS connection was taken down before")

    def _tell(self, got: int) -> None:
        """Have the owner read again where the end came in the same breath as `got` bytes."""
        if got and self.plane is not None:
            self.plane.nudge(self.fileno())

    # ---- writing ---------------------------------------------------------------------------

    def send(self, data: Any, flags: int = 0) -> int:
        """Hand over as much of `data` as the kernel takes.

        What was not taken must come again, at the beginning of the next `send`: a record of it
        may be under way already.
        """
        del flags
        engine, size = self._sslobj or self._gone(), len(data)
        sent: int = 0
        view: memoryview | None = None
        try:
            sent = engine.write(data) if size else 0
            while sent < size:
                view = view or memoryview(data)
                sent += engine.write(view[sent:])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if sent:
                return sent
            raise BlockingIOError(errno.EAGAIN, "the socket takes no more") from None
        return sent

    # ---- the end ---------------------------------------------------------------------------

    def goodbye(self) -> None:
        """Send close_notify: what was sent so far is the whole."""
        # Whether the peer says the same is its affair, and it may be gone (RFC 8446 section 6.1).
        with contextlib.suppress(OSError, ValueError):
            self.unwrap()
            self._ended = True

    def shutdown(self, how: int) -> None:
        """Send close_notify, then FIN. Only SHUT_WR has a use here."""
        self.goodbye()
        socket.socket.shutdown(self, how)


def raw(stream: TlsStream) -> socket.socket:
    """Give the socket below; the stream is of no use any more."""
    return socket.socket(fileno=stream.detach())
