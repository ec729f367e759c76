"""A directory source: the objects below some directories, now and whenever they change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from .snapshot import Snapshot
from .store import Store
from .watch import Watch

if TYPE_CHECKING:
    from pathlib import Path


_PATIENCE = 0.1
"""Seconds for which a file that seems half-written must stay as it is before it counts: a writer
that was put off in the middle goes on within a few slices of the scheduler."""


def _ignore(sentence: str) -> None:
    """Take a note that nobody asked for."""


class DirectorySource:
    """Reads directories and watches them.

    `held` is what another source's `held()` gave: versions that stand in for what is bad on disk.
    `note` is called, in another thread, with sentences for the log (no watches to be had).
    """

    def __init__(
        self,
        directories: Sequence[Path],
        held: bytes | None = None,
        note: Callable[[str], None] = _ignore,
    ) -> None:
        self._store = Store(directories, held, _PATIENCE)
        self._directories = tuple(directories)
        self._note = note

    def held(self) -> bytes | None:
        """Give the versions that stand in for bad ones, for a successor; None where none does."""
        return self._store.held()

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Give the first snapshot at once, then one per change of any object or problem.

        Changes that come in a burst are one. Whoever is slower than the changes is given the
        newest snapshot and misses those between. Closing the iterator ends the watching.
        """
        self._store.rescan()
        given = self._store.snapshot
        yield given
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def on_change() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits
                loop.call_soon_threadsafe(changed.set)

        watch = Watch(self._store, self._directories, on_change, self._note)
        watch.start()
        try:
            while True:
                await changed.wait()
                changed.clear()
                if watch.error is not None:
                    raise watch.error
                if self._store.snapshot is not given:
                    given = self._store.snapshot
                    yield given
        finally:
            watch.stop()
