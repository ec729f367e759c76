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
from typing import TYPE_CHECKING

from .doubt import Doubt
from .glance import glance
from .merge import Merged, merge, remerge, stay
from .model import Object
from .objects import Content, Entry, Place
from .problem import Problem
from .reading import File, file_problem, look, seems_partial, unknown
from .report import Identity
from .scan import Fault, Scan, Signature, scan
from .snapshot import Snapshot, build, replaced

if TYPE_CHECKING:
    from pathlib import Path

_ATTEMPTS = 3
"""Scans until what is read counts as one state even if more changed meanwhile."""


class Store:
    """The objects below some directories.

    With `patience` (seconds) the snapshot waits that long for a file that seems to be in the middle
    of being written; only the first one does not.
    """

    def __init__(
        self, directories: Sequence[Path], held: bytes | None = None, patience: float = 0.0
    ) -> None:
        self._directories = tuple(directories)
        self._doubt = Doubt(patience)
        self._put_off: set[str] = set()
        self._all_put_off = False
        self._files: dict[Place, File] = {}
        self._faults: tuple[Fault, ...] = ()
        self._merged = Merged()
        self._plain = False
        self._watched: frozenset[str] = frozenset()
        self.snapshot = Snapshot()
        self.watchable: frozenset[tuple[str, int, int]] = frozenset()
        """(path, device, inode) of every directory that was read."""
        self.waiting = False
        """True where something is not taken yet: call `reread` again, soon."""
        if held:
            from .codec import decode  # late: rarely needed, and 5 ms

            self._restore(decode(held))

    def rescan(self) -> bool:
        """Read what changed; tell whether there is a new snapshot (the first time: always)."""
        before, faults = self._files, self._faults
        with _no_collector():
            read, found = self._read_until_still()
        files = self._ripe(read)
        self._all_put_off = files is None
        if files is None:
            return False
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
        there is more to it than known files with the same good objects, it is a rescan. Paths
        that could not be taken then (`waiting`) are looked at again, too.
        """
        found = None
        self._put_off.update(paths)
        if self._plain and not self._faults and not self._all_put_off:
            found = glance(self._put_off, self._directories, self._files, self._watched)
        if found is None:
            return self.rescan()
        read = {each.place: look(each, self._files[each.place], trust=False) for each in found}
        files = self._ripe(read)
        if files is None:
            return False
        objects = self._new_in(files)
        if objects is None:
            return self.rescan()
        self._files = self._files | files
        if objects:
            self._merged = self._merged._replace(objects={**self._merged.objects, **objects})
            self.snapshot = replaced(self.snapshot, objects.values())
        return bool(objects)

    def _ripe(self, files: dict[Place, File]) -> dict[Place, File] | None:
        """Give the files that count; None to wait for one that seems half-written."""
        doubtful: dict[Place, Signature | None] = {}
        for place, file in files.items() if self.snapshot.version else ():
            before = self._files.get(place)
            if file is not before and seems_partial(file, before):
                doubtful[place] = file.signature
        now = time.monotonic()
        unripe = self._doubt.unripe(doubtful, now)
        self.waiting = bool(unripe)
        if unripe and not self._doubt.drags_on(now):
            return None
        self._put_off = {os.path.abspath(place.file) for place in unripe}
        return files | {place: self._files[place] for place in unripe if place in self._files}

    def _new_in(self, files: Mapping[Place, File]) -> dict[Identity, Object] | None:
        """Give the objects that are new in these known files; None where a rescan must tell."""
        objects: dict[Identity, Object] = {}
        for place, file in files.items():
            new = remerge(self._merged, self._files[place].content, file.content)
            if new is None:
                return None
            objects |= new
        return objects

    def _read_until_still(self) -> tuple[dict[Place, File], Scan]:
        """Look and read until nothing changed meanwhile, so that no snapshot mixes two states."""
        files, found = self._files, Scan()
        for attempt in range(_ATTEMPTS):
            found = scan(self._directories)
            known = files
            files = {
                each.place: look(each, known.get(each.place), trust=attempt > 0)
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
        self._files = {at: File(Content(tuple(found))) for at, found in contents.items()}

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
        return file_problem(fault.place, fault.message + stay(staying))


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


def _same(files: Mapping[Place, File], before: Mapping[Place, File]) -> bool:
    """Tell whether no content differs."""
    return files.keys() == before.keys() and all(
        file.content == before[place].content for place, file in files.items()
    )


def _out_of_sight(
    before: Mapping[Place, File], files: Mapping[Place, File], faults: Sequence[Fault]
) -> dict[Place, File]:
    """Keep the files below what could not be looked at, as things whose state is not known."""
    lost: dict[Place, File] = {}
    for place, file in before.items():
        if place not in files and any(_covers(fault.place, place) for fault in faults):
            lost[place] = File(unknown(file))
    return lost


def _covers(fault: Place, place: Place) -> bool:
    if fault.directory != place.directory:
        return False
    return not fault.path or f"{place.path}/".startswith(f"{fault.path}/")
