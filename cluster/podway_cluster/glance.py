"""What a few file events concern: known files alone, or more than a look at those can tell."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Container, Iterator, Sequence
from typing import TYPE_CHECKING

from .objects import Place
from .scan import Found, is_wanted, signature_of

if TYPE_CHECKING:
    from pathlib import Path


def glance(
    paths: Collection[str],
    directories: Sequence[Path],
    known: Container[Place],
    watched: Container[str],
) -> list[Found] | None:
    """Give the known files at the paths of some events as they are now.

    None where only a scan can tell what happened: something new, gone, a directory, a link.
    `watched` are the absolute paths of the directories that were read. It holds only while there
    is neither a link among them nor a file with two names (`Scan.plain`).
    """
    found: list[Found] = []
    for path in paths:
        try:
            status = os.lstat(path)
        except OSError:
            status = None
        places = [place for place in _places(path, directories) if place in known]
        if places and status is not None and stat.S_ISREG(status.st_mode):
            found.extend(Found(place, signature_of(status)) for place in places)
        elif places or not _is_nothing(path, status, watched):
            return None
    return found


def _places(path: str, directories: Sequence[Path]) -> Iterator[Place]:
    """Give the places that a path may be known by."""
    for number, directory in enumerate(directories):
        root = os.path.abspath(directory) + os.sep  # events name absolute paths
        if path.startswith(root):
            below = path.removeprefix(root)
            yield Place(number, below, os.path.join(directory, below))


def _is_nothing(path: str, status: os.stat_result | None, watched: Container[str]) -> bool:
    """Tell whether a path that holds no objects never did: editors' temporary files."""
    if status is None:
        return path not in watched
    return stat.S_ISREG(status.st_mode) and not is_wanted(os.path.basename(path))
