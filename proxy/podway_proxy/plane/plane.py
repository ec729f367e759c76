"""The plane: one edge-triggered epoll set, nested in an asyncio loop (uvloop or plain)."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from podway_proxy.counters import Counters
from podway_proxy.limits import DEFAULT, Limits
from podway_proxy.plane.pipes import PipePool
from podway_proxy.plane.tally import Tally
from podway_proxy.plane.wheel import TICK, Timed, Wheel

if TYPE_CHECKING:
    import asyncio

READ: Final = (
    select.EPOLLIN | select.EPOLLPRI | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
)
"""A mask with one of these: reading brings bytes, the end, or the error."""
WRITE: Final = select.EPOLLOUT
GONE: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
"""A mask with one of these: the peer sends no more, so reading must go on until it says so."""
FIN: Final = select.EPOLLRDHUP
"""A mask with this one alone of `GONE` and `URGENT`: the peer's FIN is in the queue, all bytes
before it are too, so a read that comes back short has brought the last of them."""
URGENT: Final = select.EPOLLPRI
"""A mask with this: urgent data cuts reads short, so a short read means nothing (tcp(7))."""
UNSURE: Final = select.EPOLLHUP | select.EPOLLERR | select.EPOLLPRI
"""A mask with one of these: only reading until it fails tells how things are."""
BROKEN: Final = select.EPOLLERR
"""A mask with this: the connection was reset or could not be made."""
READING: Final = select.EPOLLIN | select.EPOLLPRI | select.EPOLLRDHUP | select.EPOLLET
INTEREST: Final = READING | select.EPOLLOUT

ROOM: Final = 1_024
"""Descriptors that room is made for at once."""
BATCH: Final = 512
"""Events taken from the kernel at once."""
ROUNDS: Final = 4
"""Batches taken in a row before the loop's other work gets its turn."""
BUFFER: Final = 262_144
"""The shared buffer: what one read brings at most where there is no pipe for splice."""
CLOSE: Final = socket.SocketType.close
"""The method below socket.close(), which takes two more calls to care for makefile()."""
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on with zero seconds: close sends RST, not FIN (socket(7))."""


class Plane:
    """The mover of bytes of one worker; not thread-safe, everything runs in its loop's thread.

    Events are edges: a callback reads until EAGAIN (or a short read) and remembers readiness
    itself. Descriptors are closed after the batch in which `close` was called, so none is reused
    while a stale event for it is still to come.
    """

    __slots__ = (
        "_armed",
        "_busy",
        "_closing",
        "_epoll",
        "_loop",
        "_queue",
        "_timer",
        "_watching",
        "_wheel",
        "buffer",
        "deadline",
        "limits",
        "now",
        "pipes",
        "tally",
        "view",
    )

    def __init__(
        self, limits: Limits = DEFAULT, counters: Counters | None = None, pipes: int = 16
    ) -> None:
        self.now = time.monotonic()
        """Seconds of the monotonic clock, as fresh as the current batch or tick."""
        self.limits = limits
        self.tally = Tally(Counters() if counters is None else counters)
        self.pipes = PipePool(pipes, limits.pipe_bytes)
        self.buffer = bytearray(BUFFER)
        """Shared by all connections for one read and the write right after it."""
        self.view = memoryview(self.buffer)
        self._epoll = select.epoll()
        self._watching: list[Callable[[int], None] | None] = [None] * ROOM
        """By descriptor."""
        self._closing: list[socket.socket] = []
        self._queue: deque[Callable[[], None]] = deque()
        self._wheel = Wheel(self.now)
        self.deadline: Callable[[Timed, float], None] = self._wheel.put
        """`deadline(timed, at)`: call `timed.on_deadline()` at the first tick at or after `at`
        (seconds, as `now`). A later call for the same object replaces the deadline; `math.inf`
        cancels it."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed = self._busy = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run in `loop` from now on: its reader of the epoll set, and the coarse tick."""
        self._loop = loop
        self.now = time.monotonic()
        loop.add_reader(self._epoll.fileno(), self._on_events)
        self._timer = loop.call_later(TICK, self._on_tick)
        self._arm()

    def detach(self) -> None:
        """Leave the loop. Nothing is closed; `attach` goes on where this stopped."""
        if self._loop is not None:
            self._loop.remove_reader(self._epoll.fileno())
        if self._timer is not None:
            self._timer.cancel()
        self._loop = self._timer = None
        self._armed = False

    def watch(self, fd: int, callback: Callable[[int], None], interest: int = INTEREST) -> bool:
        """Call `callback(mask)` at each edge of `fd`, in place of the callback it had, if any.

        With `READING` it is not told that `fd` can be written to, which a new connection always
        can, until `await_room`.
        True if `fd` was already watched: edges up to now went to the former callback, so the
        caller must try to read and write by itself.
        """
        watching = self._watching
        try:
            known = watching[fd] is not None
        except IndexError:
            self._make_room(fd)
            known = False
        if not known:
            self._epoll.register(fd, interest)
        watching[fd] = callback
        return known

    def renew(self, fd: int, interest: int = READING) -> None:
        """Have `fd`'s callback told anew of what holds: of edges that went to a former one, too."""
        self._epoll.modify(fd, interest)

    def await_room(self, fd: int) -> None:
        """Have `fd`'s callback told from now on when it can be written to (at once if it can)."""
        if self._callback(fd) is not None:
            self._epoll.modify(fd, INTEREST)

    def unwatch(self, fd: int) -> None:
        """Never call `fd`'s callback again, not even for events of the current batch."""
        if self._callback(fd) is not None:
            self._watching[fd] = None
            self._epoll.unregister(fd)

    def close(self, sock: socket.socket) -> None:
        """Unwatch `sock` now and close it once no event of this batch can refer to it.

        The kernel takes a closed descriptor out of the epoll set by itself (epoll(7), Q6); a
        descriptor that was duplicated must go through `unwatch` first.
        """
        fd = sock.fileno()
        if fd >= 0:
            try:
                self._watching[fd] = None
            except IndexError:
                self._make_room(fd)
        if self._busy:
            self._closing.append(sock)
        else:
            sock.close()

    def abort(self, sock: socket.socket) -> None:
        """Close `sock` with RST: its peer must not take what it got for the whole."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close(sock)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call `callback()` after this batch, when others have had their turn."""
        self._queue.append(callback)
        if not self._busy:
            self._arm()

    def nudge(self, fd: int) -> None:
        """Call `fd`'s callback soon, as an edge that tells of the end would.

        For streams that have read their peer's end together with its last bytes (TLS).
        """
        callback = self._callback(fd)

        def tell() -> None:
            if callback is not None and self._callback(fd) is callback:
                callback(select.EPOLLIN | select.EPOLLHUP)

        self.soon(tell)

    def rouse(self, fd: int) -> None:
        """Call `fd`'s callback now, as an edge that tells of bytes, and maybe of the end, would.

        For streams that hold bytes of which no edge will tell (TLS).
        """
        callback = self._callback(fd)
        if callback is not None:
            callback(select.EPOLLIN | select.EPOLLHUP)

    def report(self, error: Exception) -> None:
        """Hand a callback's error to the loop: one connection's fault must not stop the batch."""
        if self._loop is not None:
            self._loop.call_exception_handler(
                {"message": "a connection's callback failed", "exception": error}
            )

    @property
    def watched(self) -> int:
        """How many descriptors are watched."""
        return len(self._watching) - self._watching.count(None)

    def _make_room(self, fd: int) -> None:
        self._watching += [None] * (fd + ROOM - len(self._watching))

    def _callback(self, fd: int) -> Callable[[int], None] | None:
        return self._watching[fd] if 0 <= fd < len(self._watching) else None

    def _on_events(self) -> None:
        """Drain the epoll set, some batches in a row while they come full of work."""
        self.now = time.monotonic()
        self._busy = True
        for _ in range(ROUNDS):
            events = self._epoll.poll(0, BATCH)
            self._dispatch(events)
            if len(events) < 2:
                break
        self._settle()

    def _dispatch(self, events: list[tuple[int, int]]) -> None:
        watching = self._watching
        for fd, mask in events:
            callback = watching[fd]
            if callback is not None:
                try:
                    callback(mask)
                except Exception as error:
                    self.report(error)
        if self._closing:
            self._close_all()

    def _on_queue(self) -> None:
        self.now = time.monotonic()
        self._armed = False
        self._busy = True
        for _ in range(len(self._queue)):
            self._guarded(self._queue.popleft())
        self._settle()

    def _on_tick(self) -> None:
        self.now = time.monotonic()
        self._busy = True
        for timed in self._wheel.due(self.now):
            self._guarded(timed.on_deadline)
        self._settle()
        if self._loop is not None:
            self._timer = self._loop.call_later(TICK, self._on_tick)

    def _guarded(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as error:
            self.report(error)

    def _settle(self) -> None:
        self._busy = False
        if self._closing:
            self._close_all()
        self._arm()

    def _close_all(self) -> None:
        closing, self._closing = self._closing, []
        for sock in closing:
            CLOSE(sock)

    def _arm(self) -> None:
        if self._queue and not self._armed and self._loop is not None:
            self._armed = True
            self._loop.call_soon(self._on_queue)
