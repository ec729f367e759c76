"""An answer's body that is compressed on its way, piece by piece: gzip, in chunks."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Callable
from typing import Final

from podway_proxy.http.chunked_flow import ChunkedFlow
from podway_proxy.http.framing import Buffer, Chunked
from podway_proxy.http.request import CHUNKED
from podway_proxy.plane.plane import Plane

LEVEL: Final = 1
"""zlib's fastest."""
WINDOW: Final = 16 + 14
"""gzip's frame (16) and a window of 2^14 bytes: with MEMORY 128 KiB an answer,
half of zlib's usual, for a ratio of 2.77 in place of 2.84 (source code, pieces of 64 KiB)."""
MEMORY: Final = 7
LAST: Final = b"0\r\n"


class Counted(Chunked):
    """Follows a body of known length, as a `Chunked` follows chunks."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length

    def feed(self, data: Buffer, start: int, end: int, content: list[bytes] | None = None) -> int:
        """Take what is the body's of `data[start:end]`; return where that ends."""
        stop = min(end, start + self._left)
        if content is not None:
            content.append(bytes(data[start:stop]))
        self._left -= stop - start
        self.done = not self._left
        return stop


class Gathering(Chunked):
    """Follows a chunked body and keeps its trailers, which go on behind other chunks."""

    __slots__ = ("trailers",)

    def __init__(self) -> None:
        super().__init__()
        self.trailers = b""
        """The section's lines, the empty one included; bounded, as all of them are."""

    def _take_line(self, line: bytes) -> None:
        trailing = self._trailers >= 0
        super()._take_line(line)
        if trailing:
            self.trailers += line


class Encoder:
    """Makes the chunks of a compressed body out of the pieces of an original's. Pure."""

    __slots__ = ("_held", "_zlib", "follower")

    def __init__(self, length: int) -> None:
        self.follower: Counted | Gathering = Gathering() if length == CHUNKED else Counted(length)
        """Follows the original's bytes."""
        self._zlib = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, MEMORY)
        self._held = False
        """The compressor may hold bytes that have not come out."""

    def feed(self, data: Buffer, start: int, end: int, paused: bool) -> tuple[bytes, int]:
        """Give what goes to the client for `data[start:end]`, and the index where the body ends.

        `paused`: no more is there at the moment, so all that came must go on. Raises ChunkError.
        """
        follower = self.follower
        content: list[bytes] = []
        stop = follower.feed(data, start, end, content)
        out = self._zlib.compress(b"".join(content))
        self._held = not follower.done and (self._held or any(content))
        if follower.done:
            section = follower.trailers if isinstance(follower, Gathering) else b"\r\n"
            return chunk(out + self._zlib.flush()) + LAST + section, stop
        return chunk(out + self._rest() if paused else out), stop

    def flush(self) -> bytes:
        """Give the chunk of what came and has not come out yet; empty if there is none."""
        return chunk(self._rest())

    def _rest(self) -> bytes:
        held, self._held = self._held, False
        return self._zlib.flush(zlib.Z_SYNC_FLUSH) if held else b""


def chunk(data: bytes) -> bytes:
    """Frame data as a chunk; no data as nothing, which would be the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class CompressingFlow(ChunkedFlow):
    """Moves a body from `source` to `sink` and compresses it on the way.

    Ends as a `ChunkedFlow` does; `moved` counts what went on. When the source pauses, all that it
    has sent so far goes on: an event stream does not stall. While the sink takes no more nothing is
    read.
    """

    __slots__ = ("_encoder",)

    TURN = 262_144
    """Bytes before others get their turn: 4 ms of compressing."""

    def __init__(
        self,
        plane: Plane,
        source: socket.socket,
        sink: socket.socket,
        on_end: Callable[[ChunkedFlow], None],
        encoder: Encoder,
        tail: bytes,
    ) -> None:
        super().__init__(plane, source, sink, on_end, encoder.follower, tail)
        self._encoder = encoder

    def _read(self) -> int:
        got = super()._read()
        if not self.readable and self.writable and self.outcome is None:
            rest = self._encoder.flush()
            if rest:
                self.moved += len(rest)
                self._send(rest)
        return got

    def _passed(self, got: int) -> tuple[bytes, int]:
        out, end = self._encoder.feed(self._plane.buffer, 0, got, not self.readable)
        self.moved += len(out) - end  # what goes on counts, not what came
        return out, end
