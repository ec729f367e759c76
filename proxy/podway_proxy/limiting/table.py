"""A table that all workers of a daemon share: what each of them counts under a key, by row.

A row per worker in one memory file. A worker writes to its own row only, without a lock, and reads
all rows of living workers, so one that is killed in the middle of a write holds up nobody, and what
it held ends with it: the master clears its row. A reader may meet a cell that is being rewritten;
then one decision is off by what that worker counts under that key.

A row is a hash table of a fixed size: a key has `WAYS` cells in which it may stand, the same in all
rows. Where they are all taken, the one that was written to longest ago makes room, unless something
is under way under its key. The file takes memory where it was written to only.
"""

from __future__ import annotations

import mmap
import os
from typing import Final

from podway_proxy.limits import DEFAULT

CELLS: Final = DEFAULT.counted_clients
"""Cells per worker, for all Routes together: 8 MiB."""
WORDS: Final = 8
"""64-bit words of a cell: 64 bytes, a cache line."""
WAYS: Final = 8
HEADER: Final = mmap.PAGESIZE
SECRET: Final = 16
"""Bytes at the beginning: keys can't be chosen so that they meet in one place."""
SIZE: Final = slice(SECRET, SECRET + 8)
"""Where the header tells how many cells a row has, so that two ages of the code agree."""
ALIVE: Final = 64
"""Where the header tells, a byte for each row, whether a living worker writes to it."""

KEY: Final = 0
ACTIVE: Final = 1
"""What is under way under the key; a cell where there is something is never given up."""
TIMES: Final = (2, 5)
"""Words that tell when a cell was written to; what else stands in a cell is its user's affair."""


class Table:
    """One worker's row, and the view of all others. Offsets count words of the whole table.

    `Table()` is private memory with one row, for a library's user and for tests.
    """

    __slots__ = ("_alive", "_flags", "_map", "_others", "_row", "_secret", "_size", "words")

    def __init__(self, fd: int = -1, row: int = 0, cells: int = CELLS) -> None:
        """Map the file of `create`, to write to this row; `cells` is for private memory."""
        self._map = mmap.mmap(fd, HEADER + cells * WORDS * 8 if fd < 0 else os.fstat(fd).st_size)
        self._size = (cells if fd < 0 else int.from_bytes(self._map[SIZE], "little")) * WORDS
        self._secret = self._map[:SECRET]
        self._alive = memoryview(self._map)[ALIVE : ALIVE + self.rows]
        self.words = memoryview(self._map)[HEADER:].cast("Q")
        """All rows."""
        self._row = row * self._size
        self._flags = b""
        self._others: tuple[int, ...] = ()
        if fd < 0:
            self._alive[0] = 1

    @property
    def rows(self) -> int:
        """Give how many workers there is room for."""
        return (len(self._map) - HEADER) // (self._size * 8)

    def key(self, text: str) -> int:
        """Give the key of a text: 64 bits, never 0."""
        from hashlib import blake2b  # here: most daemons never need it, and it loads OpenSSL

        digest = blake2b(text.encode(), digest_size=8, key=self._secret).digest()
        return int.from_bytes(digest, "little") or 1

    def find(self, key: int) -> int:
        """Give where this worker's own cell of a key begins; -1: it has none."""
        return self._find(key, self._row)

    def claim(self, key: int) -> int:
        """Give this worker's own cell of a key, a new one if need be; -1: there is no room."""
        found = self._find(key, self._row)
        return found if found >= 0 else self._take(key)

    def others(self, key: int) -> list[int]:
        """Give where other living workers' cells of a key begin."""
        if bytes(self._alive) != self._flags:
            self._look_around()
        if not self._others:
            return []
        return [at for row in self._others if (at := self._find(key, row)) >= 0]

    @property
    def alone(self) -> bool:
        """No other worker lives."""
        if bytes(self._alive) != self._flags:
            self._look_around()
        return not self._others

    def active(self, key: int) -> int:
        """Sum what is under way under a key over all living workers."""
        own = self.find(key)
        here = self.words[own + ACTIVE] if own >= 0 else 0
        return here + sum(self.words[at + ACTIVE] for at in self.others(key))

    def open(self, row: int) -> None:
        """Say that a worker begins to write to a row (the master's affair, as is `clear`)."""
        self.clear(row)
        self._alive[row] = 1

    def clear(self, row: int) -> None:
        """Forget what a worker that is gone counted; its memory is given back."""
        self._alive[row] = 0
        begin, length = HEADER + row * self._size * 8, self._size * 8
        try:
            self._map.madvise(mmap.MADV_REMOVE, begin, length)
        except OSError:  # a kernel that can't punch holes
            self._map[begin : begin + length] = bytes(length)

    def _bucket(self, key: int) -> int:
        """Give where a key's cells begin, counted from the beginning of a row."""
        return key * WAYS * WORDS % self._size

    def _find(self, key: int, row: int) -> int:
        begin = row + self._bucket(key)
        keys = self.words[begin : begin + WAYS * WORDS : WORDS].tolist()
        return begin + keys.index(key) * WORDS if key in keys else -1

    def _take(self, key: int) -> int:
        begin = self._row + self._bucket(key)
        free = [at for at in range(begin, begin + WAYS * WORDS, WORDS) if not self._busy(at)]
        if not free:
            return -1
        oldest = min(free, key=self._written)
        self.words[oldest + KEY] = 0  # a reader shall not find the old key beside the new numbers
        for word in range(1, WORDS):
            self.words[oldest + word] = 0
        self.words[oldest + KEY] = key
        return oldest

    def _busy(self, at: int) -> int:
        return self.words[at + ACTIVE]

    def _written(self, at: int) -> int:
        return max(self.words[at + word] for word in TIMES) if self.words[at + KEY] else -1

    def _look_around(self) -> None:
        self._flags = bytes(self._alive)
        rows = (row * self._size for row, alive in enumerate(self._flags) if alive)
        self._others = tuple(row for row in rows if row != self._row)


def create(rows: int, cells: int = CELLS) -> int:
    """Make the memory file for that many workers; give its descriptor."""
    fd = os.memfd_create("podway-limits")
    os.ftruncate(fd, HEADER + rows * cells * WORDS * 8)
    os.pwrite(fd, os.urandom(SECRET) + cells.to_bytes(8, "little"), 0)
    return fd
