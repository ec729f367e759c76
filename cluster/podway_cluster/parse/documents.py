"""A file's bytes to its documents: YAML or JSON, each with what is needed to name lines.

Documents are cut apart at their `---` first, as kubectl does, so that a syntax error in one does
not hide the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from yaml import events

from .builder import Builder, Flaw, Json, Path
from .jsontext import read_json
from .lines import find_lines
from .stream import MalformedError, events_of

_SEPARATOR = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)

_NOTHING = re.compile(r"(?:\s|#[^\n]*+)*+\Z")
"""Only comments and blank lines."""


class Document(NamedTuple):
    """One document that could be read."""

    data: Json
    text: str
    """Its own text: where lines are looked up when there is something to report."""
    offset: int
    """Lines of the file before `text`."""
    lines: Mapping[Path, int]
    """First lines of the root and of the entries of `items`, from 0 in `text`."""
    flaws: tuple[Flaw, ...] = ()
    """What is wrong inside."""

    def line_of(self, path: Path) -> int:
        """Give the line in the file, from 1, of the root or of an entry of `items`."""
        return self.offset + self.lines.get(path, self.lines.get((), 0)) + 1

    def find_lines(self, paths: Set[Path]) -> dict[Path, int]:
        """Give the lines in the file, from 1, of any paths: a pass over the text."""
        return {path: self.offset + n + 1 for path, n in find_lines(self.text, paths).items()}


class Unreadable(NamedTuple):
    """A document, or a whole file, that could not be read."""

    line: int
    """From 1."""
    message: str


def documents(content: bytes, *, is_json: bool) -> Iterator[Document | Unreadable]:
    """Give every document of a file; whatever the bytes are, it never raises.

    Empty documents are left out.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        yield Unreadable(line, "is not UTF-8 text: save it as UTF-8")
        return
    if is_json:
        yield _json(text)
        return
    for offset, part in _parts(text):
        yield from _yaml(part, offset)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Cut at `---`; give each part with the number of lines before it."""
    starts = [0]
    several = "\n---" in text or text.startswith("---")  # the search is slow in a long text
    for found in _SEPARATOR.finditer(text) if several else ():
        starts.append(_before_directives(text, found.start(), starts[-1]))
    line = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        part = text[start:end]
        if start or not _NOTHING.match(part):
            yield line, part
        line += part.count("\n")


def _before_directives(text: str, start: int, floor: int) -> int:
    """Step back over the `%` directives in front of a `---`, which belong to what follows."""
    best = at = start
    while at > floor:
        begin = max(floor, text.rfind("\n", floor, at - 1) + 1)
        line = text[begin:at].strip()
        if line.startswith("%"):
            best = begin
        elif line and not line.startswith("#"):
            break
        at = begin
    return best


def _yaml(text: str, offset: int) -> Iterator[Document | Unreadable]:
    builder = Builder()
    try:
        for event in events_of(text):
            if type(event) is events.DocumentEndEvent:
                if builder.root is not None:
                    flaws = tuple(builder.flaws)
                    yield Document(builder.root, text, offset, builder.lines, flaws)
                builder = Builder()
            else:
                builder.take(event)
    except MalformedError as error:
        last = text.rstrip().count("\n")  # an error at the end is one of the last line
        yield Unreadable(offset + min(error.line, last) + 1, str(error))


def _json(text: str) -> Document | Unreadable:
    try:
        data, twice = read_json(text)
    except MalformedError as error:
        return Unreadable(min(error.line, text.rstrip().count("\n")) + 1, str(error))
    items = data.get("items") if isinstance(data, dict) else None
    wanted: set[Path] = {("items", n) for n in range(len(items) if isinstance(items, list) else 0)}
    lines = find_lines(text, wanted) if wanted else {}
    flaws = tuple(
        Flaw((), 0, f"the key {key!r} is there twice: remove one of the two") for key in twice
    )
    return Document(data, text, 0, lines, flaws)
