"""One file: what is known of it, and a look at what it holds now."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from .objects import Content, Place, read_file
from .parse.caps import FILE_BYTES
from .problem import Problem
from .scan import Found, Signature, signature_of

_RACY_NS = 50_000_000
"""A file that was written this shortly before it was read may be written again within the same
tick of the file system's clock: it is read again with the next scan."""


class File(NamedTuple):
    """What is known of one file."""

    content: Content
    signature: Signature | None = None
    """None where it must be read again."""
    settled: bool = True
    """False where it may have been written again since, within the same tick."""
    ended: bool = True
    """False where the text stops in the middle of a line, or changed while it was read."""


def look(found: Found, before: File | None, *, trust: bool) -> File:
    """Read a file if it changed; with `trust` a signature is taken for proof that it did not."""
    if before is not None and before.signature == found.signature and (before.settled or trust):
        return before
    try:
        return _read(found.place, before)
    except OSError as error:
        message = f"can't be read ({error.strerror}): correct its permissions"
        return File(unknown(before, file_problem(found.place, message)))


def _read(place: Place, before: File | None) -> File:
    data, signature, still = _bytes(place.file)
    if signature[2] > FILE_BYTES:
        message = f"has {signature[2]} bytes: split it, a file may have {FILE_BYTES}"
        return File(unknown(before, file_problem(place, message)), signature)
    if not data and before is not None and (before.content.entries or before.content.retained):
        message = "is empty, as if being written: delete it to remove its objects"
        return File(unknown(before, file_problem(place, message)), signature, still)
    settled = still and time.time_ns() - signature[0] > _RACY_NS
    content = read_file(data, place)
    if not content.complete or any(entry.value is None for entry in content.entries):
        content = _with_retained(content, before)
    ended = data.endswith(b"\n") or place.path.lower().endswith(".json")  # half of JSON is none
    return File(content, signature, settled, still and ended)


def _bytes(path: str) -> tuple[bytes, Signature, bool]:
    """Give a file's bytes, its signature, and whether it stayed the same while it was read.

    Nothing is read of a file that is too large.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        signature = signature_of(os.fstat(descriptor))
        size = signature[2]
        data = os.read(descriptor, size + 1) if size <= FILE_BYTES else b""
        return data, signature, signature == signature_of(os.fstat(descriptor))
    finally:
        os.close(descriptor)


def seems_partial(file: File, before: File | None) -> bool:
    """Tell whether a file that changed may be in the middle of being written.

    Its text stops where it did not before, a part of it is bad, or objects are gone: all that a
    writer leaves who empties a file first, or writes one in several pieces.
    """
    old = before.content if before else Content()
    if file.content == old:
        return False
    names = {entry.identity for entry in file.content.entries if entry.value is not None}
    lost = any(entry.identity not in names for entry in (*old.entries, *old.retained))
    bad = not file.content.complete or len(names) < len(file.content.entries)
    return lost or bad or (not file.ended and (before is None or before.ended))


def unknown(file: File | None, *problems: Problem) -> Content:
    """Give the content of a file that can't be read now: what it held before."""
    old = file.content if file else Content()
    known = {entry.identity for entry in old.entries}
    retained = (*old.entries, *(each for each in old.retained if each.identity not in known))
    return Content(problems=problems, complete=False, retained=retained)


def _with_retained(content: Content, before: File | None) -> Content:
    read = {entry.identity for entry in content.entries}
    old = unknown(before).retained
    return content._replace(retained=tuple(each for each in old if each.identity not in read))


def file_problem(place: Place, message: str) -> Problem:
    """Give a problem of a file as a whole."""
    return Problem(place.file, 1, "", "", "", "", message)
