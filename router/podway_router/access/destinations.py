"""Whereto lines of the access log go. None of them ever blocks: what can't be taken is dropped."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
import time
from collections.abc import Callable
from functools import partial
from select import PIPE_BUF
from typing import Final, Protocol

from podway_router.access import dates
from podway_router.access.variables import hostname

STDOUT: Final = 1
FACILITIES: Final = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"),
    *("uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2"),
    *(f"local{number}" for number in range(8)),
)
"""By number (RFC 5424 section 6.2.1), as openshift/api and HAProxy name them."""
_INFO: Final = 6
"""HAProxy logs each request with this severity."""
TAG: Final = "podway-router"


class Destination(Protocol):
    """Takes finished lines."""

    def write(self, line: str) -> None:
        """Take one line, or drop it."""

    def close(self) -> None:
        """Take no more."""


class Output:
    """Standard output: one write for each line, so that those of several workers do not mix.

    A pipe takes PIPE_BUF (4096) bytes at once or not at all (pipe(7)); of a longer line only a part
    may get through, and then the next line begins with the end of that one's.
    """

    __slots__ = ("_broken", "_close", "_dropped", "_most", "_send")

    def __init__(self, most: int, dropped: Callable[[], None], fd: int = STDOUT) -> None:
        self._most = most
        self._dropped = dropped
        self._broken = False
        """A part of a line was written."""
        self._send, self._close = _unblocking(fd)

    def write(self, line: str) -> None:
        """Write a line, cut to its longest."""
        data = line.encode("utf-8", "backslashreplace")[: self._most] + b"\n"
        if self._broken:
            data = b"\n" + data
        try:
            sent = self._send(data)
        except OSError:
            self._dropped()  # there is no room, or nobody reads it any more
            return
        self._broken = sent < len(data)
        if self._broken:
            self._dropped()

    def close(self) -> None:
        """Let go of it; the process's own standard output stays open."""
        self._close()


def _unblocking(fd: int) -> tuple[Callable[[bytes], int], Callable[[], None]]:
    """Give what writes to `fd` without ever waiting, and what closes that.

    The descriptor's own flags are shared with other processes, and stay as they are.
    """
    # Another user's, or no descriptor is left for one of our own: then it is asked for room.
    with contextlib.suppress(OSError):
        mode = os.fstat(fd).st_mode
        if stat.S_ISSOCK(mode):
            sock = socket.socket(fileno=os.dup(fd))
            return lambda data: sock.send(data, socket.MSG_DONTWAIT), sock.close
        if stat.S_ISREG(mode):
            return partial(os.write, fd), _stay
        mine = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        return partial(os.write, mine), partial(os.close, mine)
    ready = select.poll()
    ready.register(fd, select.POLLOUT)
    return partial(_write_if_ready, ready, fd), _stay


def _write_if_ready(ready: select.poll, fd: int, data: bytes) -> int:
    """Write where there is room for PIPE_BUF bytes. Raises BlockingIOError."""
    if not any(mask & select.POLLOUT for _, mask in ready.poll(0)):
        raise BlockingIOError
    return os.write(fd, data[:PIPE_BUF])


def _stay() -> None:
    """Leave a descriptor open that is not ours."""


class Syslog:
    """A syslog server over UDP, in HAProxy's default form: RFC 3164 with the host's name.

    Its socket is made with the first line, and looked for again each second while there is none:
    no descriptor may be left, no way may lead there yet.
    """

    __slots__ = ("_address", "_dropped", "_head", "_most", "_second", "_sock", "_tag")

    def __init__(
        self, address: tuple[str, int], facility: int, most: int, dropped: Callable[[], None]
    ) -> None:
        self._address: tuple[str, int] | None = address
        """None: closed."""
        self._sock: socket.socket | None = None
        self._most = most
        self._dropped = dropped
        self._tag = f"<{facility * 8 + _INFO}>", f" {hostname()} {TAG}[{os.getpid()}]: "
        self._second = -1
        self._head = b""

    def write(self, line: str) -> None:
        """Send a line; with its head it is cut to the longest."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._head = dates.syslog(second).join(self._tag).encode("ascii", "replace")
            if self._sock is None and self._address is not None:
                self._sock = _connected(self._address)
        if self._sock is None:
            self._dropped()
            return
        data = (self._head + line.encode("utf-8", "backslashreplace"))[: self._most] + b"\n"
        try:
            self._sock.send(data)
        except OSError:
            self._dropped()  # its buffer is full, or nobody is there

    def close(self) -> None:
        """Close the socket."""
        self._address = None
        if self._sock is not None:
            self._sock.close()
            self._sock = None


def _connected(address: tuple[str, int]) -> socket.socket | None:
    """Give a socket that sends there; None: there is none to be had now."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock: socket.socket | None = None
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        sock.connect(address)
    except OSError:
        if sock is not None:
            sock.close()
        return None
    return sock
