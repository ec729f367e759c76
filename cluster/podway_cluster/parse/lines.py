"""Find the lines of fields, after the fact: only what is reported costs a second pass."""

from __future__ import annotations

import contextlib
from collections.abc import Set

from yaml import events

from .builder import Path, line_of
from .stream import MalformedError, events_of


class _Frame:
    __slots__ = ("index", "key", "line", "mapping")

    def __init__(self, mapping: bool) -> None:
        self.mapping = mapping
        self.key: str | None = None
        self.index = 0
        self.line = 0  # of the key


class _Finder:
    def __init__(self, wanted: Set[Path]) -> None:
        self.wanted = {path[:end] for path in wanted for end in range(len(path) + 1)}
        self.found: dict[Path, int] = {}
        self.frames: list[_Frame] = []

    def take(self, event: events.Event) -> None:
        kind = type(event)
        if kind in (events.ScalarEvent, events.AliasEvent):
            self._node(event)
            self._value_done()
        elif kind in (events.MappingStartEvent, events.SequenceStartEvent):
            self._node(event)
            self.frames.append(_Frame(kind is events.MappingStartEvent))
        elif kind in (events.MappingEndEvent, events.SequenceEndEvent):
            self.frames.pop()
            self._value_done()

    def _node(self, event: events.Event) -> None:
        """Note the line of a value: for a mapping's entry that of its key."""
        frame = self.frames[-1] if self.frames else None
        if frame is not None and frame.mapping and frame.key is None:
            frame.key = event.value if isinstance(event, events.ScalarEvent) else ""
            frame.line = line_of(event)
            frame.index = 0  # 0: the key has just been read
            return
        path = tuple(f.key or "" if f.mapping else f.index for f in self.frames)
        if path in self.wanted:
            keyed = frame is not None and frame.mapping
            line = frame.line if frame is not None and keyed else line_of(event)
            self.found.setdefault(path, line)

    def _value_done(self) -> None:
        if not self.frames:
            return
        frame = self.frames[-1]
        if not frame.mapping:
            frame.index += 1
        elif frame.index == 0:
            frame.index = 1  # the key is done, its value comes next
        else:
            frame.key, frame.index = None, 0


def find_lines(text: str, wanted: Set[Path]) -> dict[Path, int]:
    """Give the lines, from 0, of these paths in a document's text.

    A path that is not there has the line of the nearest that would hold it; 0 where the text
    can't be read as YAML up to it (JSON may hold escapes that YAML does not know).
    """
    finder = _Finder(wanted)
    with contextlib.suppress(MalformedError):  # what was found before that point still counts
        for event in events_of(text):
            finder.take(event)
    return {path: _nearest(finder.found, path) for path in wanted}


def _nearest(found: dict[Path, int], path: Path) -> int:
    for end in range(len(path), -1, -1):
        if path[:end] in found:
            return found[path[:end]]
    return 0
