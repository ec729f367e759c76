"""The objects of some directories: what is good, what stands in for what is bad. No watching.

Each `rescan` reads what changed and swaps in one new snapshot. An object is known by its kind,
namespace and name; its last good version stands in while the one on disk is bad.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .glance import glance
from .merge import Merged, merge, remerge, stay
from .model import Object
from .objects import Content, Entry, Place, read_file
from .parse.caps import FILE_BYTES
from .problem import Problem
from .report import Identity
from .scan import Fault, Found, Scan, Signature, scan
from .snapshot import Snapshot, build, replaced

if TYPE_CHECKING:
    from pathlib import Path

_RACY_NS = 50_000_000
"""A file that was written this shortly before it was read may be written again within the same
tick of the file system's clock: it is read again with the next scan."""
_ATTEMPTS = 3
"""Scans until what is read counts as one state even if more changed meanwhile."""


class _File(NamedTuple):
    """What is known of one file."""

    content: Content
    signature: Signature | None = None
    """None where it must be read again."""
    settled: bool = True
    """False where it may have been written again since, within the same tick."""


class Store:
    """The objects below some directories."""

    def __init__(self, directories: Sequence[Path], held: bytes | None = None) -> None:
        self._directories = tuple(directories)
        self._files: dict[Place, _File] = {}
        self._faults: tuple[Fault, ...] = ()
        self._merged = Merged()
        self._plain = False
        self._watched: frozenset[str] = frozenset()
        self.snapshot = Snapshot()
        self.watchable: frozenset[tuple[str, int, int]] = frozenset()
        """(path, device, inode) of every directory that was read."""
        if held:
            from .codec import decode  # late: rarely needed, and 5 ms

            self._restore(decode(held))

    def rescan(self) -> bool:
        """Read what changed; tell whether there is a new snapshot (the first time: always)."""
        before, faults = self._files, self._faults
        with _no_collector():
            files, found = self._read_until_still()
        if self.watchable != found.directories:
            self.watchable = found.directories
            self._watched = frozenset(os.path.abspath(path) for path, *_ in found.directories)
        self._files, self._faults, self._plain = files, found.faults, found.plain
        if self.snapshot.version and faults == found.faults and _same(files, before):
            return False
        self._swap()
        return True

    def reread(self, paths: Collection[str]) -> bool:
        """Do what `rescan` does after events at these absolute paths, and only look there.

        Among ten thousand files that takes a few milliseconds in place of some hundred. Where
        there is more to it than known files with the same good objects, it is a rescan.
        """
        found = None
        if self._plain and not self._faults:
            found = glance(paths, self._directories, self._files, self._watched)
        if found is None or not (taken := self._take(found)):
            return self.rescan()
        files, objects = taken
        self._files = files
        if objects:
            self._merged = self._merged._replace(objects={**self._merged.objects, **objects})
            self.snapshot = replaced(self.snapshot, objects.values())
        return bool(objects)

    def _take(
        self, found: Iterable[Found]
    ) -> tuple[dict[Place, _File], dict[Identity, Object]] | None:
        """Read these files; give all files and what is new in them, or None for a rescan."""
        files = dict(self._files)
        objects: dict[Identity, Object] = {}
        for each in found:
            before = files[each.place]
            file = files[each.place] = _look(each, before, trust=False)
            new = remerge(self._merged, before.content, file.content)
            if new is None:
                return None
            objects |= new
        return files, objects

    def _read_until_still(self) -> tuple[dict[Place, _File], Scan]:
        """Look and read until nothing changed meanwhile, so that no snapshot mixes two states."""
        files, found = self._files, Scan()
        for attempt in range(_ATTEMPTS):
            found = scan(self._directories)
            known = files
            files = {
                each.place: _look(each, known.get(each.place), trust=attempt > 0)
                for each in found.files
            }
            files |= _out_of_sight(known, files, found.faults)
            if all(file is known.get(place) for place, file in files.items()):
                break
        return files, found

    def held(self) -> bytes | None:
        """Give the versions that stand in for bad ones, for `Store(held=…)`; None for none."""
        merged, files = self._merged, self._files  # the watching thread swaps both
        claims: dict[Identity, Place] = {}
        for place in sorted(files) if merged.held else ():
            content = files[place].content
            for entry in (*content.entries, *content.retained):
                if entry.identity in merged.held:
                    claims.setdefault(entry.identity, place)
        found = [(place, merged.objects[identity]) for identity, place in claims.items()]
        if not found:
            return None
        from .codec import encode  # late: rarely needed, and 5 ms

        return encode(found)

    def _restore(self, held: Iterable[tuple[Place, Object]]) -> None:
        """Pretend to have read these objects from the files that claim them."""
        last: dict[Identity, Object] = {}
        contents: dict[Place, list[Entry]] = {}
        for place, each in held:
            meta = each.meta
            identity = (meta.kind, meta.namespace, meta.name)
            last[identity] = each
            contents.setdefault(place, []).append(Entry(identity, meta.origin, each))
        self._merged = Merged(last)
        self._files = {at: _File(Content(tuple(found))) for at, found in contents.items()}

    def _swap(self) -> None:
        ordered = [self._files[place].content for place in sorted(self._files)]
        self._merged = merge(ordered, self._merged.objects)
        problems = (*map(self._fault_problem, self._faults), *self._merged.problems)
        version = self.snapshot.version + 1
        self.snapshot = build(self._merged.objects.values(), problems, version)

    def _fault_problem(self, fault: Fault) -> Problem:
        below = (file.content for at, file in self._files.items() if _covers(fault.place, at))
        staying = sum(
            each.identity in self._merged.held for content in below for each in content.retained
        )
        return _file_problem(fault.place, fault.message + stay(staying))


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Put off the garbage collector.

    Reading makes no garbage in cycles, and with 10,000 Routes looking for it takes a sixth of the
    time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _same(files: Mapping[Place, _File], before: Mapping[Place, _File]) -> bool:
    """Tell whether no content differs."""
    return files.keys() == before.keys() and all(
        file.content == before[place].content for place, file in files.items()
    )


def _out_of_sight(
    before: Mapping[Place, _File], files: Mapping[Place, _File], faults: Sequence[Fault]
) -> dict[Place, _File]:
    """Keep the files below what could not be looked at, as things whose state is not known."""
    lost: dict[Place, _File] = {}
    for place, file in before.items():
        if place not in files and any(_covers(fault.place, place) for fault in faults):
            lost[place] = _File(_unknown(file))
    return lost


def _covers(fault: Place, place: Place) -> bool:
    if fault.directory != place.directory:
        return False
    return not fault.path or f"{place.path}/".startswith(f"{fault.path}/")


def _unknown(file: _File | None, *problems: Problem) -> Content:
    """Give the content of a file that can't be read now: what it held before."""
    old = file.content if file else Content()
    known = {entry.identity for entry in old.entries}
    retained = (*old.entries, *(each for each in old.retained if each.identity not in known))
    return Content(problems=problems, complete=False, retained=retained)


def _look(found: Found, before: _File | None, *, trust: bool) -> _File:
    """Read a file if it changed; with `trust` a signature is taken for proof that it did not."""
    if before is not None and before.signature == found.signature and (before.settled or trust):
        return before
    place, size = found.place, found.signature[2]
    if size > FILE_BYTES:
        message = f"has {size} bytes: split it, a file may have {FILE_BYTES}"
        return _File(_unknown(before, _file_problem(place, message)), found.signature)
    if size == 0 and before is not None and (before.content.entries or before.content.retained):
        message = "is empty, as if being written: delete it to remove its objects"
        return _File(_unknown(before, _file_problem(place, message)), found.signature)
    settled = time.time_ns() - found.signature[0] > _RACY_NS
    try:
        with open(place.file, "rb") as file:
            content = read_file(file.read(FILE_BYTES), place)
    except OSError as error:
        message = f"can't be read ({error.strerror}): correct its permissions"
        return _File(_unknown(before, _file_problem(place, message)))
    if not content.complete or any(entry.value is None for entry in content.entries):
        content = _with_retained(content, before)
    return _File(content, found.signature, settled)


def _with_retained(content: Content, before: _File | None) -> Content:
    read = {entry.identity for entry in content.entries}
    old = _unknown(before).retained
    return content._replace(retained=tuple(each for each in old if each.identity not in read))


def _file_problem(place: Place, message: str) -> Problem:
    return Problem(place.file, 1, "", "", "", "", message)
