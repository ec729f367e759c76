"""Where a body ends: a follower of chunked bodies over any split of their bytes.

The bytes pass through as they are; the follower says how many of them belong to the body and
refuses what two readers could read differently (RFC 9112 section 7.1): a bare LF, a size that is
not hexadecimal, a chunk longer than its size. A body of known length needs a number only.
"""

from __future__ import annotations

import re

from podway_proxy.http.refuse import TOKEN, VALUE

SIZE_LINE = 256
"""Longest chunk-size line with its extensions, in bytes: extensions are otherwise a way to send
bytes without end (RFC 9112 section 7.1.1 asks for a limit)."""

TRAILERS = 8_192
"""Longest trailer section, in bytes (RFC 9110 section 6.5 lets a recipient bound it; 8 KiB is
nginx's size of a large header buffer)."""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;" + VALUE + rb"*)?\r\n").fullmatch
"""15 digits stay inside a signed 64-bit number. Extensions are passed on unread."""

_TRAILER = re.compile(TOKEN + rb"++:" + VALUE + rb"*+\r\n").fullmatch
_FORBIDDEN = (b"content-length:", b"transfer-encoding:", b"host:")
"""Fields that a trailer may not hold, as a reader might merge them (RFC 9110 section 6.5.1)."""


class ChunkError(ValueError):
    """The bytes are no chunked body; the message says where they went wrong."""


class Chunked:
    """Follows one chunked body. `done` once the last byte of its trailer section was fed."""

    __slots__ = ("_data", "_left", "_line", "_trailers", "done")

    def __init__(self) -> None:
        self.done = False
        self._left = 0
        """Bytes of the current chunk and its CRLF still to come; 0: a size line is next."""
        self._line = b""
        """The beginning of a line whose end has not come."""
        self._trailers = -1
        """Bytes of trailer section so far; -1: the last chunk has not come."""
        self._data = 0
        """Of `_left`, the bytes that are data and not the CRLF after it."""

    @property
    def left_in_chunk(self) -> int:
        """Bytes of data that certainly follow before the next size line."""
        return max(self._data, 0)

    def feed(self, data: bytes, start: int = 0, sink: list[bytes] | None = None) -> int:
        """Follow `data[start:]`; return the index after the last byte that belongs to the body.

        That is less than `len(data)` only once `done`. With `sink`, the pieces of content (the
        chunks' data without sizes and trailers) are appended to it. Raises ChunkError.
        """
        end = len(data)
        while start < end and not self.done:
            start = self._chunk(data, start, sink) if self._left else self._next_line(data, start)
        return start

    def skip(self, count: int) -> None:
        """Take note that `count` bytes of data passed by elsewhere (at most `left_in_chunk`)."""
        self._data -= count
        self._left -= count

    def _chunk(self, data: bytes, start: int, sink: list[bytes] | None) -> int:
        """Pass over a chunk's data and the CRLF after it."""
        if self._data:
            take = min(self._data, len(data) - start)
            if sink is not None:
                sink.append(data[start : start + take])
            self.skip(take)
            return start + take
        if data[start] != b"\r\n"[2 - self._left]:
            raise ChunkError("a chunk is longer than its size says")
        self._left -= 1
        return start + 1

    def _next_line(self, data: bytes, start: int) -> int:
        found = data.find(b"\n", start)
        end = found + 1 if found >= 0 else len(data)
        line = self._line + data[start:end]
        if len(line) > SIZE_LINE and self._trailers < 0:
            raise ChunkError(f"a chunk-size line is longer than {SIZE_LINE} bytes")
        if len(line) + max(self._trailers, 0) > TRAILERS:
            raise ChunkError(f"the trailer section is longer than {TRAILERS} bytes")
        if found < 0:
            self._line = line
            return end
        self._line = b""
        self._take_line(line)
        return end

    def _take_line(self, line: bytes) -> None:
        if self._trailers < 0:
            self._take_size(line)
        elif line == b"\r\n":
            self.done = True
        elif not _TRAILER(line) or line.lower().startswith(_FORBIDDEN):
            raise ChunkError("a trailer is not a field line that may stand there")
        else:
            self._trailers += len(line)

    def _take_size(self, line: bytes) -> None:
        match = _SIZE(line)
        if not match:
            raise ChunkError("a chunk-size line is not a hexadecimal number")
        self._data = int(match[1], 16)
        if self._data:
            self._left = self._data + 2
        else:
            self._trailers = 0
