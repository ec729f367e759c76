"""Where a body ends: a follower of chunked bodies over any split of their bytes.

The bytes pass through as they are; the follower says how many of them belong to the body and
refuses what two readers could read differently (RFC 9112 section 7.1): a bare LF, a size that is
not hexadecimal, a chunk longer than its size. A body of known length needs a number only.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from podway_proxy.http.refuse import TOKEN, VALUE
from podway_proxy.http.request import CHUNKED, NO_BODY

SIZE_LINE = 256
"""Longest chunk-size line with its extensions, in bytes: extensions are otherwise a way to send
bytes without end (RFC 9112 section 7.1.1 asks for a limit)."""

TRAILERS = 8_192
"""Longest trailer section, in bytes (RFC 9110 section 6.5 lets a recipient bound it; 8 KiB is
nginx's size of a large header buffer)."""

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;" + VALUE + rb"*)?\r\n")
_SIZE, _SIZE_AT = _SIZE_LINE.fullmatch, _SIZE_LINE.match
"""15 digits stay inside a signed 64-bit number. Extensions are passed on unread."""

_TRAILER = re.compile(TOKEN + rb"++:" + VALUE + rb"*+\r\n").fullmatch
_CRLF = b"\r\n"
_FORBIDDEN = (b"content-length:", b"transfer-encoding:", b"host:")
"""Fields that a trailer may not hold, as a reader might merge them (RFC 9110 section 6.5.1)."""


Buffer = bytes | bytearray


class ChunkError(ValueError):
    """The bytes are no chunked body; the message says where they went wrong."""


class Chunked:
    """Follows one chunked body. `done` once the last byte of its trailer section was fed."""

    __slots__ = ("_crlf", "_data", "_line", "_trailers", "chunks", "done")

    def __init__(self) -> None:
        self.done = False
        self.chunks = 0
        """Chunks so far: what following costs time for."""
        self._data = 0
        """Bytes of the current chunk's data still to come."""
        self._crlf = 0
        """Bytes still to come of the CRLF after it."""
        self._line = b""
        """The beginning of a line whose end has not come."""
        self._trailers = -1
        """Bytes of trailer section so far; -1: the last chunk has not come."""

    def feed(self, data: Buffer, start: int, end: int, content: list[bytes] | None = None) -> int:
        """Follow `data[start:end]`; return the index after the last byte that is the body's.

        That is less than `end` only once `done`. The pieces of content (the chunks' data without
        sizes and trailers) are appended to `content`. Raises ChunkError.
        """
        while start < end and not self.done:
            if self._data:
                take = min(self._data, end - start)
                if content is not None:
                    content.append(bytes(data[start : start + take]))
                self._data -= take
                start += take
            elif self._crlf:
                start = self._end_chunk(data, start)
            elif self._line or self._trailers >= 0:
                start = self._next_line(data, start, end)
            else:
                start = self._whole_chunks(data, start, end, content)
                if start < end:
                    start = self._next_line(data, start, end)
        return start

    def _whole_chunks(self, data: Buffer, start: int, end: int, content: list[bytes] | None) -> int:
        """Pass over the chunks that are at hand from their size to their CRLF.

        It decides nothing that the other methods would decide otherwise, in half their time.
        """
        while match := _SIZE_AT(data, start, end):
            first = match.end()
            size = int(match[1], 16)
            last = first + size
            if not size or first - start > SIZE_LINE or data[last : last + 2] != _CRLF:
                break
            if last + 2 > end:
                break
            if content is not None:
                content.append(bytes(data[first:last]))
            self.chunks += 1
            start = last + 2
        return start

    def _end_chunk(self, data: Buffer, start: int) -> int:
        """Pass over one byte of the CRLF after a chunk's data."""
        if data[start] != _CRLF[2 - self._crlf]:
            raise ChunkError("a chunk is longer than its size says")
        self._crlf -= 1
        return start + 1

    def _next_line(self, data: Buffer, start: int, end: int) -> int:
        found = data.find(b"\n", start, end)
        after = found + 1 if found >= 0 else end
        line = self._line + data[start:after]
        if len(line) > SIZE_LINE and self._trailers < 0:
            raise ChunkError(f"a chunk-size line is longer than {SIZE_LINE} bytes")
        if len(line) + max(self._trailers, 0) > TRAILERS:
            raise ChunkError(f"the trailer section is longer than {TRAILERS} bytes")
        self._line = b"" if found >= 0 else line
        if found >= 0:
            self._take_line(line)
        return after

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
        self.chunks += 1
        if self._data:
            self._crlf = 2
        else:
            self._trailers = 0


class Body(NamedTuple):
    """What a request's head and the bytes behind it tell about its body."""

    end: int
    """The index after the last byte of body that is at hand."""
    left: int
    """Bytes still to come; or CHUNKED, with its follower."""
    follower: Chunked | None


def begin_body(length: int, data: bytes, start: int) -> Body:
    """Take the beginning of a body from `data[start:]`; `length` is the head's. Raises ChunkError.

    A chunked body that is at hand whole is left with nothing to come.
    """
    if length == CHUNKED:
        follower = Chunked()
        end = follower.feed(data, start, len(data))
        return Body(end, NO_BODY, None) if follower.done else Body(end, CHUNKED, follower)
    end = min(len(data), start + length)
    return Body(end, start + length - end, None)
