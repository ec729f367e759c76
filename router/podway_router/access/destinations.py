"""Whereto lines of the access log go. None of them ever blocks: what can't be taken is dropped."""

from __future__ import annotations

import os
import select
import socket
import stat
import time
from collections.abc import Callable
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
    """Standard output: one write for each line, so that those of several workers do not mix."""

    __slots__ = ("_dropped", "_fd", "_most", "_ready")

    def __init__(self, most: int, dropped: Callable[[], None], fd: int = STDOUT) -> None:
        self._fd = fd
        self._most = most
        self._dropped = dropped
        self._ready: select.poll | None = None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            # Setting O_NONBLOCK would change the pipe for all who share it; asking does not. A
            # pipe that is ready takes PIPE_BUF bytes at once (pipe(7)).
            self._ready = select.poll()
            self._ready.register(fd, select.POLLOUT)

    def write(self, line: str) -> None:
        """Write a line, cut to its longest."""
        if self._ready is not None and not _writable(self._ready):
            self._dropped()
            return
        data = line.encode("utf-8", "backslashreplace")[: self._most] + b"\n"
        try:
            os.write(self._fd, data)
        except OSError:
            self._dropped()  # nobody reads it any more

    def close(self) -> None:
        """Leave it open: it is the process's."""


def _writable(ready: select.poll) -> bool:
    return any(mask & select.POLLOUT for _, mask in ready.poll(0))


class Syslog:
    """A syslog server over UDP, in HAProxy's default form: RFC 3164 with the host's name."""

    __slots__ = ("_dropped", "_head", "_most", "_second", "_sock", "_tag")

    def __init__(
        self, address: tuple[str, int], facility: int, most: int, dropped: Callable[[], None]
    ) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._most = most
        self._dropped = dropped
        self._tag = f"<{facility * 8 + _INFO}>", f" {hostname()} {TAG}[{os.getpid()}]: "
        self._second = -1
        self._head = b""
        try:
            self._sock.connect(address)
        except OSError:
            dropped()  # no way there; each send will say so again

    def write(self, line: str) -> None:
        """Send a line; with its head it is cut to the longest."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._head = dates.syslog(second).join(self._tag).encode("ascii", "replace")
        data = (self._head + line.encode("utf-8", "backslashreplace"))[: self._most] + b"\n"
        try:
            self._sock.send(data)
        except OSError:
            self._dropped()  # its buffer is full, or nobody is there

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()
