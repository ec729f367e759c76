"""The thread that keeps a store up to date: events are hints, the scan is the truth."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from .notify import open_notify
from .store import Store

if TYPE_CHECKING:
    from pathlib import Path

_AFTER_START = 0.5
"""Seconds before the watching begins: what it imports would slow down the first answer of
everything that starts at the same time. What changes meanwhile, the first scan then finds."""
_STEP_MS = 10
"""A burst has ended when nothing changed for this long."""
_FEW = 64
"""As many paths are looked at by themselves; after more a scan is not much slower."""
_BURST_MS = 250
"""A burst that does not end is taken in parts of this length."""
_HEARTBEAT_MS = 1_000
"""A scan without a hint happens this often: no watch sees a given path become a link to elsewhere,
a linked file change in its own place, or what another machine writes to a shared file system."""
_AGAIN_MS = 20
"""What seems half-written is looked at again after this long."""
_SCAN_SHARE = 100
"""But scans without a hint take at most one hundredth of the time."""

Wait = Callable[[int], Collection[str]]
"""Returns the paths at which something changed, or after so many milliseconds none."""


class Watch:
    """Lets the store read what changed, whenever it does; `on_change` is for a new snapshot.

    Both happen in a thread of its own. `note` is given sentences that an operator should see. An
    error that is nobody's but ours ends the watching: it is in `error`, and `on_change` is called.
    """

    def __init__(
        self,
        store: Store,
        directories: Sequence[Path],
        on_change: Callable[[], None],
        note: Callable[[str], None],
    ) -> None:
        self.error: Exception | None = None
        self._store = store
        self._directories = directories
        self._on_change = on_change
        self._note = note
        self._noted = False
        self._stopped = threading.Event()
        self._due = 0.0
        self._thread = threading.Thread(target=self._run, name="podway-watch", daemon=True)

    def start(self) -> None:
        """Begin watching."""
        self._thread.start()

    def stop(self) -> None:
        """End watching; returns when the thread has ended."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        self._stopped.wait(_AFTER_START)
        try:
            while not self._stopped.is_set():
                self._watch_once()
        except Exception as error:  # handed on: snapshots() raises it
            self.error = error
            self._on_change()

    def _watch_once(self) -> None:
        """Watch until the directories are others than those that the watches are set on."""
        with self._watches() as wait:
            self._rescan()
            watched = self._store.watchable
            while self._store.watchable == watched and not self._stopped.is_set():
                paths = wait(_AGAIN_MS if self._store.waiting else _HEARTBEAT_MS)
                if len(paths) > _FEW:
                    self._rescan()
                elif (paths or self._store.waiting) and self._store.reread(paths):
                    self._on_change()
                if time.monotonic() >= self._due:  # after what the events said: that is in a hurry
                    self._rescan()

    def _rescan(self) -> None:
        began = time.monotonic()
        if self._store.rescan():
            self._on_change()
        ended = time.monotonic()
        self._due = ended + (ended - began) * _SCAN_SHARE

    @contextlib.contextmanager
    def _watches(self) -> Iterator[Wait]:
        """Set watches on the directories; where there are none to be had, wait and look."""
        try:
            notify = open_notify([str(each) for each in self._directories if each.exists()])
        except OSError as error:
            if not isinstance(error, FileNotFoundError):  # which vanished since: a scan says so
                self._note_once(error)
            yield self._pause
            return
        with notify:
            yield lambda most: _paths(notify.watch(_BURST_MS, _STEP_MS, most, self._stopped))

    def _pause(self, most: int) -> Collection[str]:
        self._stopped.wait(most / 1000)
        return ()

    def _note_once(self, error: OSError) -> None:
        if not self._noted:
            self._noted = True
            self._note(
                f"the kernel gives no watches ({error}): changes are looked for every second; "
                "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances"
            )


def _paths(seen: set[tuple[int, str]] | str) -> Collection[str]:
    """Give the paths of what the kernel's events say; none where a text says why there are none."""
    return {path for _, path in seen} if isinstance(seen, set) else ()
