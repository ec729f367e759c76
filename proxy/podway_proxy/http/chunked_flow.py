"""One direction of a chunked body: followed chunk by chunk, passed on as it is or unwrapped."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import ClassVar

from podway_proxy.http.framing import Chunked, ChunkError
from podway_proxy.plane.flow import Outcome
from podway_proxy.plane.plane import BUFFER, GONE, Plane

WANT = 65_536
"""Bytes to read at once while nothing, or nothing good, is known of the chunks in them."""
DENSE = 256
"""Chunks in one read from which on they are small: following them takes longer than copying."""
CHUNK = 1_024
"""Bytes of a turn that a chunk counts for: it takes 1.5 us, so that a stream of chunks of one byte
has turns of some ms, not of two seconds."""


class ChunkedFlow:
    """Moves one chunked body from `source` to `sink`; has the face of a plane's `Flow`.

    `tail` is sent first. `unwrap` sends only the content, for a client that knows no chunks.
    `on_end(flow)` is called once, possibly by the very first `run`; `outcome` is LENGTH at the
    body's end, and `surplus` then holds what was read beyond it. A body that is not properly
    chunked ends with SOURCE and has `error` set; a source that ends early, with EOF.
    """

    __slots__ = (
        "_follower",
        "_on_end",
        "_plane",
        "_queued",
        "_tail",
        "_unwrap",
        "_want",
        "error",
        "hup",
        "last",
        "moved",
        "outcome",
        "readable",
        "sink",
        "source",
        "surplus",
        "writable",
    )

    TURN: ClassVar[int] = 0
    """Most bytes before others get their turn; 0: the plane's limit."""

    def __init__(
        self,
        plane: Plane,
        source: socket.socket,
        sink: socket.socket,
        on_end: Callable[[ChunkedFlow], None],
        follower: Chunked,
        tail: bytes = b"",
        unwrap: bool = False,
    ) -> None:
        self._plane = plane
        self.source = source
        self.sink = sink
        self._on_end = on_end
        self._follower = follower
        self._tail = tail
        self._unwrap = unwrap
        self._queued = False
        self._want = WANT
        self.readable = self.writable = self.hup = True
        self.moved = 0
        """Bytes of body taken from the source."""
        self.last = plane.now
        """When a byte last moved."""
        self.outcome: Outcome | None = None
        self.surplus = b""
        self.error = ""
        """What is wrong with the chunks."""

    @property
    def pending(self) -> int:
        """Bytes read and not yet taken by the sink's kernel."""
        return len(self._tail)

    def on_readable(self, mask: int) -> None:
        """Note an edge of the source and run."""
        self.readable = True
        if mask & GONE:
            self.hup = True
        if self.writable:
            self.run()

    def on_writable(self) -> None:
        """Note an edge of the sink, and run if that was what the flow waited for."""
        if not self.writable:
            self.writable = True
            self.run()

    def stop(self) -> None:
        """Move nothing any more; `on_end` is not called."""
        if self.outcome is None:
            self.outcome = Outcome.SINK

    def run(self) -> None:
        """Move what can be moved, at most `turn_bytes` before others get their turn."""
        if self.outcome is not None or (self._tail and not self._send(self._tail)):
            return
        turn = self.TURN or self._plane.limits.turn_bytes
        while not self._follower.done:
            if not self.readable:
                return
            chunks = self._follower.chunks
            got = self._read()
            if got < 0:
                return
            chunks = self._follower.chunks - chunks
            self._want = BUFFER if chunks < DENSE else WANT
            turn -= got + chunks * CHUNK
            if turn <= 0:
                self._later()
                return
        self._end(Outcome.LENGTH)

    def _read(self) -> int:
        """Read once and send it on: how many bytes; -1 if the flow waits or has ended."""
        plane = self._plane
        try:
            got = self.source.recv_into(plane.buffer, self._want)
        except BlockingIOError:
            self.readable = self.hup = False
            return -1
        except OSError:
            return self._end(Outcome.SOURCE)
        if not got:
            return self._end(Outcome.EOF)
        self.last = plane.now
        if got < self._want and not self.hup:
            self.readable = False
        out = self._follow(got)
        if out is None:
            return self._end(Outcome.SOURCE)
        return got if not len(out) or self._send(out) else -1

    def _follow(self, got: int) -> memoryview | bytes | None:
        """Give what of the shared buffer is to be sent on; None if it is no chunked body."""
        plane = self._plane
        try:
            out, end = self._passed(got)
        except ChunkError as error:
            self.error = str(error)
            return None
        self.moved += end
        self.surplus = bytes(plane.view[end:got])
        return out

    def _passed(self, got: int) -> tuple[memoryview | bytes, int]:
        """Give what goes on of the shared buffer's bytes, and where the body ends among them."""
        plane = self._plane
        content: list[bytes] | None = [] if self._unwrap else None
        end = self._follower.feed(plane.buffer, 0, got, content)
        return plane.view[:end] if content is None else b"".join(content), end

    def _send(self, data: memoryview | bytes) -> bool:
        """Send; what the sink does not take becomes the tail. True when all is taken."""
        try:
            sent = self.sink.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._end(Outcome.SINK)
            return False
        self.last = self._plane.now
        self._tail = b"" if sent == len(data) else bytes(data[sent:])
        self.writable = not self._tail
        return self.writable

    def _later(self) -> None:
        if not self._queued:
            self._queued = True
            self._plane.soon(self._resume)

    def _resume(self) -> None:
        self._queued = False
        if self.writable:
            self.run()

    def _end(self, outcome: Outcome) -> int:
        self.outcome = outcome
        self._on_end(self)
        return -1
