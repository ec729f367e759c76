"""Find the lines of fields, after the fact: only what is reported costs a second pass."""

from __future__ import annotations

import contextlib
from collections.abc import Set

from yaml import events

from .builder import Path, line_of
from .stream import MalformedError, events_of


class _Frame:
    """An open mapping or sequence that leads to something wanted."""

    __slots__ = ("index", "key", "key_line", "mapping", "path")

    def __init__(self, path: Path, *, mapping: bool) -> None:
        self.path = path
        self.mapping = mapping
        self.key: str | None = None  # of the entry whose value comes next
        self.key_line = 0
        self.index = 0


class _Finder:
    def __init__(self, wanted: Set[Path]) -> None:
        self.found: dict[Path, int] = {}
        self._wanted = {path[:end] for path in wanted for end in range(len(path) + 1)}
        self._frames: list[_Frame] = []
        self._skipping = 0  # open mappings and sequences that lead to nothing wanted

    def take(self, event: events.Event) -> None:
        """Take the next event of the document."""
        if isinstance(event, events.CollectionEndEvent):
            self._close()
        elif isinstance(event, events.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, events.NodeEvent) and not self._skipping:
            self._word(event)

    def _open(self, event: events.CollectionStartEvent) -> None:
        path = None if self._skipping else self._here(event)
        if path is None:
            self._skipping += 1
        else:
            mapping = isinstance(event, events.MappingStartEvent)
            self._frames.append(_Frame(path, mapping=mapping))

    def _close(self) -> None:
        if self._skipping:
            self._skipping -= 1
        elif self._frames:
            self._frames.pop()
        if not self._skipping:
            self._value_done()

    def _word(self, event: events.NodeEvent) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.mapping and frame.key is None:
            frame.key = event.value if isinstance(event, events.ScalarEvent) else ""
            frame.key_line = line_of(event)
        else:
            self._here(event)
            self._value_done()

    def _here(self, event: events.Event) -> Path | None:
        """Note the line of the value that begins here; give its path if it is a wanted one."""
        frame = self._frames[-1] if self._frames else None
        if frame is None:
            path: Path = ()
        elif frame.mapping:
            if frame.key is None:  # a mapping or sequence as a key
                return None
            path = (*frame.path, frame.key)
        else:
            path = (*frame.path, frame.index)
        if path not in self._wanted:
            return None
        line = frame.key_line if frame is not None and frame.mapping else line_of(event)
        self.found.setdefault(path, line)
        return path

    def _value_done(self) -> None:
        if self._frames:
            self._frames[-1].index += 1
            self._frames[-1].key = None


def find_lines(text: str, wanted: Set[Path]) -> dict[Path, int]:
    """Give the lines, from 0, of these paths in a document's text.

    A path that is not there has the line of the nearest that would hold it; 0 where the text
    can't be read as YAML up to it (JSON may hold escapes that YAML does not know).
    """
    finder = _Finder(wanted)
    with contextlib.suppress(MalformedError):  # what was found before that point still counts
        for event in events_of(text) if wanted else ():
            finder.take(event)
    return {path: _nearest(finder.found, path) for path in wanted}


def _nearest(found: dict[Path, int], path: Path) -> int:
    for end in range(len(path), -1, -1):
        if path[:end] in found:
            return found[path[:end]]
    return 0
