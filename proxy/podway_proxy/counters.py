"""Counters that all processes of a daemon share: one memory file, a row per worker.

A worker writes only its own row, without a lock; a metric is the sum over the rows, so it
survives a worker's death. The names stand in the file itself and are only ever added to, so
workers of two generations of the code agree on the slots.

A name that ends in `_total` is a counter: it never goes back. Any other is a gauge: the row's
share ends with its worker. `refused_total:step=no-route` is the metric `refused_total` with the
label `step`; the sets of labels are fixed, never a peer's data.

Besides the named counters a row has places: `WIDTH` numbers each, for what is counted per object
(a Route, an endpoint). Who gives places out, the loader, writes their names into the file; a place
that goes to somebody else begins at 0.

`wait_seconds_bucket:path=slow,le=0.01` counts what fell into one bucket of the histogram
`wait_seconds` (and into none below it), `wait_seconds_sum:path=slow` adds up its nanoseconds.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterable, Iterator
from typing import Final

ROW_BYTES: Final = 4096
"""A row is one page, so that two workers never write to the same cache line."""
SLOTS: Final = ROW_BYTES // 8
NAMES_BYTES: Final = 32_768
"""Room for the names, one a line: 512 names of 63 characters."""
PLACES: Final = 1024
"""Places in a row; the first belongs to whoever has none of his own."""
WIDTH: Final = 16
"""Numbers in a place: two cache lines."""
PLACE_NAME_BYTES: Final = 512
"""Room for a place's name."""
_PLACE_BYTES: Final = PLACES * WIDTH * 8
_MARK_BYTES: Final = 8
"""At the end of the room for names: how many rows there are; 0 in a file of former versions, which
has no places."""
BUCKET: Final = "_bucket"
SUM: Final = "_sum"
"""What the names of a histogram's counters end in."""


class Counters:
    """One worker's row, and the sums over all rows.

    Hot code takes `row` once and does `row[slot] += 1`; `counters[slot] += 1` does the same.
    `Counters()` is private memory with one row, for a library's user and for tests.
    """

    __slots__ = ("_all", "_fd", "_map", "_names_at", "_places", "_slots", "index", "row", "rows")

    def __init__(self, fd: int = -1, index: int = 0, names: Iterable[str] = ()) -> None:
        self._fd = fd
        size = _size(1) if fd < 0 else os.fstat(fd).st_size
        self._map = mmap.mmap(fd, size)
        if fd < 0:
            self._map[NAMES_BYTES - _MARK_BYTES : NAMES_BYTES] = _mark(1)
        marked = int.from_bytes(self._map[NAMES_BYTES - _MARK_BYTES : NAMES_BYTES], "little")
        self.rows = marked or (size - NAMES_BYTES) // ROW_BYTES
        self.index = index
        self._names_at = NAMES_BYTES + self.rows * ROW_BYTES
        view = memoryview(self._map)
        self._all = view[NAMES_BYTES : self._names_at].cast("Q")
        places_at = self._names_at + PLACES * PLACE_NAME_BYTES
        self._places = view[places_at:].cast("Q") if marked else memoryview(b"").cast("Q")
        self.row = self._all[index * SLOTS : (index + 1) * SLOTS]
        self._slots = {name: slot for slot, name in enumerate(self._read_names())}
        self._add([name for name in names if name not in self._slots])

    def slot(self, name: str) -> int:
        """Give the slot of a name; a new name gets the next one, for all processes alike."""
        if name not in self._slots:
            self._add([name])
        return self._slots[name]

    def __getitem__(self, slot: int) -> int:
        """Give this worker's own value."""
        return self.row[slot]

    def __setitem__(self, slot: int, value: int) -> None:
        """Set this worker's own value."""
        self.row[slot] = value

    def total(self, slot: int) -> int:
        """Sum one slot over all workers: what a limit per daemon is compared with."""
        return sum(self._all[slot::SLOTS])

    def totals(self) -> dict[str, int]:
        """Sum every named slot over all workers."""
        return {name: self.total(slot) for slot, name in enumerate(self._read_names())}

    def clear_gauges(self, index: int) -> None:
        """Forget what a worker that is gone still held: gauges end with it, counters stay."""
        for slot, name in enumerate(self._read_names()):
            if is_gauge(name):
                self._all[index * SLOTS + slot] = 0

    def place(self, index: int) -> memoryview:
        """Give this worker's numbers of a place; some memory of its own where there are none."""
        if not self._places:
            return memoryview(bytearray(WIDTH * 8)).cast("Q")
        start = (self.index * PLACES + index) * WIDTH
        return self._places[start : start + WIDTH]

    def place_total(self, index: int) -> list[int]:
        """Sum the numbers of a place over all workers."""
        parts = [
            self._places[start : start + WIDTH]
            for start in range(index * WIDTH, len(self._places), PLACES * WIDTH)
        ]
        return [sum(column) for column in zip(*parts, strict=True)] or [0] * WIDTH

    def places(self) -> dict[str, int]:
        """Give the places that have names."""
        if not self._places:
            return {}
        found = {self._place_name(index): index for index in range(PLACES)}
        found.pop("", None)
        return found

    def give_place(self, index: int, name: str) -> None:
        """Name a place anew; its numbers begin at 0. An empty name takes it away."""
        data = name.encode()
        if not self._places or len(data) > PLACE_NAME_BYTES:
            return
        start = self._names_at + index * PLACE_NAME_BYTES
        self._map[start : start + PLACE_NAME_BYTES] = data.ljust(PLACE_NAME_BYTES, b"\0")
        for first in range(index * WIDTH, len(self._places), PLACES * WIDTH):
            self._places[first : first + WIDTH] = memoryview(bytes(WIDTH * 8)).cast("Q")

    def _place_name(self, index: int) -> str:
        start = self._names_at + index * PLACE_NAME_BYTES
        return self._map[start : start + PLACE_NAME_BYTES].rstrip(b"\0").decode()

    def _add(self, names: list[str]) -> None:
        """Give each new name a slot; all of them at once, since each time costs 0.1 ms."""
        for name in names:
            if not name or "\n" in name or "\0" in name:
                raise ValueError(f"counter name {name!r}: must be one line of text")
        with self._locked():
            known = self._read_names()
            self._append(known, [name for name in dict.fromkeys(names) if name not in known])
            self._slots = {name: slot for slot, name in enumerate(self._read_names())}

    def _append(self, known: list[str], names: list[str]) -> None:
        end = sum(len(name.encode()) + 1 for name in known)
        data = "".join(f"{name}\n" for name in names).encode()
        if len(known) + len(names) > SLOTS or end + len(data) >= NAMES_BYTES - _MARK_BYTES:
            raise ValueError(f"counter {names[-1]!r}: no room for more than {len(known)} names")
        self._map[end : end + len(data)] = data

    def _read_names(self) -> list[str]:
        text = bytes(self._map[:NAMES_BYTES])
        return text[: text.index(0)].decode().splitlines()

    def _locked(self) -> _Lock:
        return _Lock(self._fd)


class _Lock:
    """A record lock on the memory file: it is per process, so it keeps siblings apart."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __enter__(self) -> None:
        if self.fd >= 0:
            fcntl.lockf(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self.fd >= 0:
            fcntl.lockf(self.fd, fcntl.LOCK_UN)


def create(rows: int) -> int:
    """Make the memory file for that many workers; give its descriptor."""
    fd = os.memfd_create("podway-counters")
    os.ftruncate(fd, _size(rows))
    os.pwrite(fd, _mark(rows), NAMES_BYTES - _MARK_BYTES)
    return fd


def _size(rows: int) -> int:
    """Give the size of a file; most of it is never touched and takes no memory."""
    return NAMES_BYTES + rows * (ROW_BYTES + _PLACE_BYTES) + PLACES * PLACE_NAME_BYTES


def _mark(rows: int) -> bytes:
    return rows.to_bytes(_MARK_BYTES, "little")


def is_gauge(name: str) -> bool:
    """Tell a gauge from a counter by its name."""
    return not split(name)[0].endswith(("_total", BUCKET, SUM))


def split(name: str) -> tuple[str, dict[str, str]]:
    """Split `refused_total:step=no-route,proto=tls` into the metric's name and its labels.

    A label without a name (`refused_total:no-route`) is called `reason`.
    """
    metric, _, labels = name.partition(":")
    return metric, dict(_pairs(labels))


def _pairs(labels: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, labels.split(",")):
        key, sign, value = pair.partition("=")
        yield (key, value) if sign else ("reason", key)
