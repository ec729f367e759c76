"""Which files there are: names and signatures, no contents."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .objects import Place
from .parse.caps import FILES

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIXES = (".yaml", ".yml", ".json")
_NO_OBJECTS = frozenset({"kustomization.yaml", "kustomization.yml"})
"""Kustomize's own files: they need neither kind nor apiVersion, and hold no object."""

Signature = tuple[int, int, int, int, int]
"""(mtime_ns, ctime_ns, size, inode, device): another one means that the file must be read again.
ctime sees what tools do that set mtime back (rsync -t, cp -p)."""


class Found(NamedTuple):
    """A file to read."""

    place: Place
    signature: Signature


class Fault(NamedTuple):
    """A directory or file that could not be looked at: what was below it is not known."""

    place: Place
    message: str


class Scan(NamedTuple):
    """What a look at the directories showed."""

    files: tuple[Found, ...] = ()
    """In the order in which they count: by directory, then by path."""
    faults: tuple[Fault, ...] = ()
    directories: frozenset[tuple[str, int, int]] = frozenset()
    """(path, device, inode) of every directory: where they change, watches must be set anew."""
    plain: bool = False
    """True where nothing is a link and no file has two names: what happens at one path then
    concerns no other."""


def scan(directories: Sequence[Path]) -> Scan:
    """Look at every directory (a single file may be given in place of one)."""
    walk = _Walk()
    for number, directory in enumerate(directories):
        walk.root(number, str(directory))
    files = sorted(walk.files)
    if len(files) > FILES:
        message = f"there are more than {FILES} files: the rest is not read"
        walk.faults.append(Fault(files[FILES].place, message))
    inodes = {each.signature[3:] for each in files}
    plain = not walk.linked and len(inodes) == len(files)
    faults = tuple(sorted(walk.faults))
    return Scan(tuple(files[:FILES]), faults, frozenset(walk.seen), plain)


def signature_of(status: os.stat_result) -> Signature:
    """Give what tells a file's states apart."""
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (*times, status.st_size, status.st_ino, status.st_dev)


def is_wanted(name: str) -> bool:
    """Tell whether a file of this name may hold objects, unless it is hidden."""
    return name.lower().endswith(_SUFFIXES) and name not in _NO_OBJECTS


class _Walk:
    def __init__(self) -> None:
        self.files: list[Found] = []
        self.faults: list[Fault] = []
        self.seen: set[tuple[str, int, int]] = set()
        self.linked = False
        self._inodes: set[tuple[int, int]] = set()

    def root(self, number: int, directory: str) -> None:
        """Look at one of the given directories; a directory is entered once per given one."""
        self._inodes = set()
        self.linked = self.linked or os.path.islink(directory)
        place = Place(number, "", directory)
        try:
            status = os.stat(directory)
        except OSError as error:
            self.faults.append(Fault(place, _explain(error)))
            return
        if stat.S_ISDIR(status.st_mode):
            self._directory(place, status)
        else:
            self._file(place._replace(path=os.path.basename(directory)), status)

    def _directory(self, place: Place, status: os.stat_result) -> None:
        inode = (status.st_dev, status.st_ino)
        if inode in self._inodes:  # a link that leads back
            return
        self._inodes.add(inode)
        self.seen.add((place.file, *inode))
        try:
            with os.scandir(place.file) as entries:
                for below, entry in _visible(place, entries):
                    self._entry(below, entry)
        except OSError as error:
            self.faults.append(Fault(place, _explain(error)))

    def _entry(self, place: Place, entry: os.DirEntry[str]) -> None:
        wanted = is_wanted(entry.name)
        self.linked = self.linked or entry.is_symlink()
        if not wanted and not entry.is_dir():
            return
        try:
            status = entry.stat()
        except OSError as error:
            if wanted:
                self.faults.append(Fault(place, _explain(error)))
            return
        if stat.S_ISDIR(status.st_mode):
            self._directory(place, status)
        elif wanted:
            self._file(place, status)

    def _file(self, place: Place, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode):  # reading a FIFO would wait for ever
            self.files.append(Found(place, signature_of(status)))


def _visible(
    place: Place, entries: Iterator[os.DirEntry[str]]
) -> Iterator[tuple[Place, os.DirEntry[str]]]:
    """Leave out hidden entries: editors' files, `.git`, and `..data` of ConfigMap volumes."""
    for entry in entries:
        if not entry.name.startswith(".") and _is_text(entry.name):
            path = f"{place.path}/{entry.name}" if place.path else entry.name
            yield Place(place.directory, path, entry.path), entry


def _is_text(name: str) -> bool:
    """Tell whether a name is UTF-8; others could be shown nowhere."""
    return name.isascii() or not any("\ud800" <= each <= "\udfff" for each in name)


def _explain(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is not there: create it, or correct the path"
    return f"can't be read ({error.strerror}): correct its permissions or its contents"
