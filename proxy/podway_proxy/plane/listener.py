"""A listening socket on the plane: bounded batches, and a rest when descriptors run out."""

from __future__ import annotations

import errno
import math
import socket
from collections.abc import Callable
from operator import methodcaller
from typing import TYPE_CHECKING, Final

from podway_proxy.plane.connection import Connection
from podway_proxy.plane.dial import EXHAUSTED
from podway_proxy.plane.wheel import TICK

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane
    from podway_proxy.values import Address

ACCEPT: Final = methodcaller("_accept")
"""The system call below socket.accept(), which looks at enums and time-outs for 4 of its 12 us."""
STREAM: Final = int(socket.SOCK_STREAM)


class Listener:
    """Accepts from `sock` and hands each connection, non-blocking, to `on_accept(sock, peer)`.

    Accepted sockets inherit TCP_NODELAY, which is set here on the listening one. Without free
    descriptors it pauses until the next tick: no busy loop, and the kernel's queue waits;
    `on_starved()` is told each time.
    """

    __slots__ = ("_family", "_on_accept", "_on_starved", "_paused", "_plane", "_queued", "sock")

    def __init__(
        self,
        plane: Plane,
        sock: socket.socket,
        on_accept: Callable[[socket.socket, Address], None],
        on_starved: Callable[[], None] | None = None,
    ) -> None:
        self._plane = plane
        self._on_accept = on_accept
        self._on_starved = on_starved
        self._paused = False
        self._queued = False
        self._family = int(sock.family)
        self.sock = sock
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plane.watch(sock.fileno(), self._on_event)

    def pause(self) -> None:
        """Accept no more for now; connections wait in the kernel's queue."""
        self._paused = True
        self._plane.deadline(self, math.inf)

    def resume(self) -> None:
        """Accept again, what waited first."""
        self._paused = False
        self._later()

    def drain(self) -> None:
        """Accept all that wait in the queue, then close the listening socket.

        Closing one with connections in its queue would reset them. Out of descriptors, the rest
        of the queue is given up: it can't be accepted.
        """
        self._paused = True
        self._plane.deadline(self, math.inf)
        while self._accept(self._plane.limits.accept_batch):
            pass
        # The master and other workers hold the same open socket: our close alone would leave it
        # in the epoll set, with a number that the next connection gets.
        self._plane.unwatch(self.sock.fileno())
        self._plane.close(self.sock)

    def on_deadline(self) -> None:
        """Try again after a rest for want of descriptors."""
        self._batch()

    def _on_event(self, _mask: int) -> None:
        self._batch()

    def _batch(self) -> None:
        if self._paused or self._queued:
            return
        if self._accept(self._plane.limits.accept_batch) and not self._paused:
            self._later()

    def _later(self) -> None:
        if not self._queued:
            self._queued = True
            self._plane.soon(self._resume)

    def _resume(self) -> None:
        self._queued = False
        self._batch()

    def _accept(self, most: int) -> bool:
        """Take up to so many connections; False when there is none left, or no room for it.

        It ends early when the listener is paused by whom it hands a connection to.
        """
        listening, family, on_accept = self.sock, self._family, self._on_accept
        paused, taken = self._paused, 0
        try:
            while taken < most and self._paused is paused:
                fd, peer = ACCEPT(listening)
                taken += 1
                sock = Connection(family, STREAM, 0, fd)
                sock.setblocking(False)
                try:
                    on_accept(sock, peer[:2])
                except Exception as error:
                    # No edge will tell of the others in the queue: one's fault must not strand
                    # them.
                    self._plane.report(error)
        except BlockingIOError:
            return False
        except OSError as error:
            return self._failed(error)
        finally:
            tally = self._plane.tally
            tally.row[tally.accepted] += taken
        return True

    def _failed(self, error: OSError) -> bool:
        """Rest where the machine is short of something; else only that connection failed."""
        if error.errno in EXHAUSTED:  # the connection stays in the queue until there is room
            tally = self._plane.tally
            tally.row[tally.exhausted] += 1
            if self._on_starved is not None:
                self._on_starved()
            if not self._paused:
                self._plane.deadline(self, self._plane.now + TICK)
            return False
        return error.errno not in (errno.EBADF, errno.EINVAL, errno.ENOTSOCK)
