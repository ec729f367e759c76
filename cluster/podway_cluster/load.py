"""Read directories once: what `--check` and tests do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .snapshot import Snapshot
from .store import Store

if TYPE_CHECKING:
    from pathlib import Path


def load(directories: Sequence[Path], held: bytes | None = None) -> Snapshot:
    """Read every object below the directories; what is wrong is in the snapshot's problems.

    `held` is what a source's `held()` gave: versions to use where the one on disk is bad.
    Never raises for what the files hold, nor for a directory that is missing.
    """
    store = Store(directories, held)
    store.rescan()
    return store.snapshot
