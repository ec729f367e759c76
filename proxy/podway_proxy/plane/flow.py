"""One direction of a connection: bytes from a socket that is read to a socket that is written."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Final

from podway_proxy.plane.plane import BUFFER, FIN, UNSURE

if TYPE_CHECKING:
    from podway_proxy.plane.pipes import Pipe
    from podway_proxy.plane.plane import Plane

FILL: Final = 65_536
"""A read that brings this much is a bulk flow: it turns to splice (measured: below, two splices
cost more than a copy)."""
ROOM: Final = 1_048_576
"""Most bytes in a pipe: its 256 slots may each hold a large fragment, 6.8 MB seen in 1 MiB."""
MORE: Final = int(socket.MSG_MORE)
"""Only for the last bytes before a FIN that follows at once (else: 200 ms as below)."""
SPLICE: Final = os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE
"""Never SPLICE_F_MORE: it holds back the last segment for 200 ms."""


class Outcome(Enum):
    """How a flow ended."""

    EOF = "eof"
    """The source sent FIN, and all before it is handed to the kernel of the sink."""
    LENGTH = "length"
    """Exactly the length that was asked for is handed on; the source goes on after it."""
    SOURCE = "source"
    """Reading failed: the source's peer reset the connection."""
    SINK = "sink"
    """Writing failed: the sink's peer reset the connection."""


def ended(_flow: Flow) -> None:
    """Stand in for the owner's callback after the end: it is not called twice, nor kept alive."""


class Flow:
    """Moves bytes from `source` to `sink` until the end, or exactly `length` of them.

    Who owns the flow watches both sockets: at an edge of the source it calls `on_readable(mask)`,
    at an edge of the sink `on_writable()`. `on_end(flow)` is called once; it may be called by the
    very first `run`. Small reads are copied through the plane's buffer; a flow that fills a read
    turns to splice through a pipe of the pool, and back when it runs dry, order kept.

    `tail` is sent first and counts neither towards `length` nor `moved`.
    """

    __slots__ = (
        "_ending",
        "_on_end",
        "_piped",
        "_plane",
        "_queued",
        "_tail",
        "fin",
        "hup",
        "last",
        "left",
        "moved",
        "outcome",
        "pipe",
        "readable",
        "sink",
        "source",
        "writable",
    )

    def __init__(
        self,
        plane: Plane,
        source: socket.socket,
        sink: socket.socket,
        on_end: Callable[[Flow], None],
        length: int = -1,
        tail: bytes = b"",
    ) -> None:
        self._plane = plane
        self.source = source
        self.sink = sink
        self._on_end = on_end
        self.left = length
        """Bytes still to read; negative: until the end."""
        self._tail: bytes | memoryview = tail
        self.readable = True
        self.writable = True
        self.hup = True
        """Read until EAGAIN or the end, because no edge may be left that tells of a FIN."""
        self.fin = False
        """The source's FIN is known to be in its queue."""
        self.moved = 0
        """Bytes taken from the source."""
        self.last = plane.now
        """When a byte last moved."""
        self.outcome: Outcome | None = None
        self.pipe: Pipe | None = None
        self._piped = 0
        self._ending: Outcome | None = None
        self._queued = False

    @property
    def pending(self) -> int:
        """Bytes read and not yet taken by the sink's kernel."""
        return len(self._tail) + self._piped

    def on_readable(self, mask: int) -> None:
        """Note an edge of the source and run, unless the sink has to come first."""
        self.readable = True
        if mask & UNSURE:
            self.hup = True
        elif mask & FIN:
            self.fin = True
        if self.writable and self.outcome is None:
            pipe = self.pipe
            if pipe is None:
                self._copy()
            else:
                self._splice(pipe)

    def on_writable(self) -> None:
        """Note an edge of the sink, and run if that was what the flow waited for."""
        if not self.writable:
            self.writable = True
            self.run()

    def run(self) -> None:
        """Move what can be moved, at most `turn_bytes` before others get their turn."""
        if self.outcome is not None:
            return
        if self.pipe is not None:
            self._splice(self.pipe)
        elif self.left or self._tail:
            self._copy()
        else:
            self._end(Outcome.LENGTH)

    def stop(self) -> None:
        """Give up the pipe; nothing moves any more and `on_end` is not called."""
        if self.outcome is None:
            self.outcome = Outcome.SINK
        self._on_end = ended
        self._release()

    def surrender(self) -> Pipe:
        """Let go of the empty pipe on which the flow rests (called by the pool)."""
        pipe = self.pipe
        if pipe is None:
            raise RuntimeError("a flow without a pipe can't rest on one")
        self.pipe = None
        return pipe

    def _copy(self) -> None:
        """Read into the shared buffer and send; keep what the sink does not take."""
        if self._tail and not self._flush():
            return
        want, used = FILL, 0
        while self.readable and self.outcome is None:
            got = self._read(want)
            if not got:
                return
            # Before a FIN that is known: the last bytes and our own FIN go in one segment.
            last = self.fin and got < want and not self.hup and self.left < 0
            if not self._send(got, MORE if last else 0):
                return
            if got == want:
                used += got
                if self._turns_to_splice(used):
                    return
                want = BUFFER
            elif self.hup:
                continue
            elif last:
                self._end(Outcome.EOF)
            else:
                # A short read has emptied the socket; what comes later is a new edge (epoll(7)).
                self.readable = False

    def _read(self, want: int) -> int:
        """Read at most `want` bytes into the shared buffer; 0: the flow must wait or has ended."""
        left = self.left
        plane = self._plane
        try:
            got = self.source.recv_into(plane.buffer, want if left < 0 or left > want else left)
        except BlockingIOError:
            self.readable = self.hup = False
            return 0
        except OSError:
            self._end(Outcome.SOURCE)
            return 0
        if not got:
            self._end(Outcome.EOF)
            return 0
        self.moved += got
        self.last = plane.now
        if left > 0:
            self.left = left - got
        return got

    def _turns_to_splice(self, used: int) -> bool:
        """Go on by splice where there is a pipe, or later when the turn is used up."""
        pipe = self.pipe = self._plane.pipes.take()
        if pipe is not None:
            self._splice(pipe)
        elif used >= self._plane.limits.turn_bytes:
            self._later()
        else:
            return False
        return True

    def _send(self, size: int, flags: int = 0) -> bool:
        """Send the first `size` bytes of the shared buffer; False if the flow must wait."""
        plane = self._plane
        try:
            sent = self.sink.send(plane.view[:size], flags)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._end(Outcome.SINK)
            return False
        if sent == size:
            if not self.left:
                self._end(Outcome.LENGTH)
            return True
        self._tail = bytes(plane.view[sent:size])
        self._await_room()
        return False

    def _await_room(self) -> None:
        self.writable = False
        self._plane.await_room(self.sink.fileno())

    def _flush(self) -> bool:
        """Send the tail; True when none is left."""
        tail = self._tail
        try:
            sent = self.sink.send(tail)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._end(Outcome.SINK)
            return False
        self.last = self._plane.now
        if sent == len(tail):
            self._tail = b""
            if not self.left:
                self._end(Outcome.LENGTH)
            return True
        self._tail = memoryview(tail)[sent:]
        self._await_room()
        return False

    def _splice(self, pipe: Pipe) -> None:
        """Fill the pipe and empty it in turns until the source is dry or the sink is full."""
        self._plane.pipes.rouse(self)
        start = self.moved
        while self.outcome is None:
            if self.readable and self._ending is None and self._piped < ROOM:
                self._pull(pipe)
            if self._piped:
                if not self._push(pipe):
                    return
            elif self._ending is not None:
                self._end(self._ending)
            elif not self.readable:
                self._rest(pipe, self.moved - start)
                return
            if self.moved - start >= self._plane.limits.turn_bytes:
                self._later()
                return

    def _pull(self, pipe: Pipe) -> None:
        """Splice from the source into the pipe."""
        ask = ROOM - self._piped
        if 0 <= self.left < ask:
            ask = self.left
        try:
            got = os.splice(self.source.fileno(), pipe.writer, ask, flags=SPLICE)
        except BlockingIOError:
            # With bytes in the pipe this may mean that its slots are full: then the source may
            # well be readable, and no edge would ever say so again.
            if not self._piped:
                self.readable = False
            return
        except OSError:
            self._ending = Outcome.SOURCE
            return
        if not got:
            self._ending = Outcome.EOF
            return
        self._piped += got
        self.moved += got
        self.last = self._plane.now
        if self.left > 0:
            self.left -= got
        if not self.left:
            self._ending = Outcome.LENGTH

    def _push(self, pipe: Pipe) -> bool:
        """Splice from the pipe to the sink; False if the flow must wait or has ended."""
        try:
            sent = os.splice(pipe.reader, self.sink.fileno(), self._piped, flags=SPLICE)
        except BlockingIOError:
            self._await_room()
            return False
        except OSError:
            self._end(Outcome.SINK)
            return False
        self._piped -= sent
        tally = self._plane.tally
        tally.row[tally.spliced] += sent
        self.last = self._plane.now
        return True

    def _rest(self, pipe: Pipe, brought: int) -> None:
        """Wait for bytes: on the pipe after a bulk of them, else without it."""
        if brought >= FILL:
            self._plane.pipes.rest(self)
        else:
            self._plane.pipes.give(pipe)
            self.pipe = None

    def _later(self) -> None:
        """Let others have their turn."""
        if not self._queued:
            self._queued = True
            self._plane.soon(self._resume)

    def _resume(self) -> None:
        self._queued = False
        if self.writable:
            self.run()

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        if self.pipe is not None:
            self._release()
        on_end, self._on_end = self._on_end, ended
        on_end(self)

    def _release(self) -> None:
        """Give the pipe back; one that still holds bytes is of no use to anybody."""
        pipe, self.pipe = self.pipe, None
        if pipe is None:
            return
        self._plane.pipes.rouse(self)
        if self._piped:
            self._piped = 0
            self._plane.pipes.discard(pipe)
        else:
            self._plane.pipes.give(pipe)
