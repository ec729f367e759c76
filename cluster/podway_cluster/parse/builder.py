"""From the YAML parser's events to plain data, within caps.

Events rather than PyYAML's nodes: a List of 10,000 Routes would be a million nodes (some 600 MB)
before its first Route is read; and rather than its constructor, which takes twice as long, knows
no line numbers and takes duplicate keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from yaml import events

from .caps import ALIASED_VALUES, DEPTH, PROBLEMS
from .scalars import TELLING, resolve, tagged
from .stream import MalformedError

Json = Any
"""None, bool, int, float, str, list or dict with str keys, nested."""
Path = tuple[str | int, ...]
"""Keys and indexes that lead from a document's root to a value."""


_BOOKKEEPING = "managedFields"
"""Who changed what: often half of an exported object, and nothing that anyone here reads."""


class Flaw(NamedTuple):
    """Something wrong at one place of a document that is well-formed otherwise."""

    path: Path
    line: int
    """From 0, in the document's text."""
    message: str


def line_of(event: events.Event) -> int:
    """Give the line, from 0, at which an event begins."""
    mark = event.start_mark
    return 0 if mark is None else mark.line


class _Frame:
    """A mapping or sequence that is still open."""

    __slots__ = ("anchor", "before", "key", "mapping", "merges", "merging", "sequence")

    def __init__(self, mapping: dict[str, Json] | None, anchor: str | None, before: int) -> None:
        self.mapping = mapping
        self.sequence: list[Json] = []
        self.key: str | None = None  # the key whose value comes next
        self.merging = False  # that key is `<<`
        self.merges: list[Json] = []  # what `<<` brought in
        self.anchor = anchor
        self.before = before  # the count of values when it was opened


class Builder:
    """Takes the events of one document; then `root`, `flaws` and `lines` tell what it holds."""

    def __init__(self) -> None:
        self.root: Json = None
        self.flaws: list[Flaw] = []
        self.lines: dict[Path, int] = {}
        """First line, from 0, of the root and of the entries of its `items`."""
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Json, int]] = {}
        self._values = 0
        self._aliased = 0
        self._skipping = 0  # open mappings and sequences of what is not kept

    def take(self, event: events.Event) -> None:
        """Take the next event; those that stand for no value are ignored."""
        if self._skipping:
            self._skip(event)
        elif (handle := _HANDLERS.get(type(event))) is not None:
            handle(self, event)

    def scalar(self, event: events.ScalarEvent) -> None:
        """Take a word, as a key or as a value."""
        self._values += 1
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.mapping is not None and frame.key is None:
            value: Json = event.value
            self._open_key(frame, frame.mapping, event)
        else:
            value = event.value
            if not event.implicit[0]:
                value = self._explicit(event)
            elif not value or value[0] in TELLING:
                value = resolve(value)
            if frame is not None and frame.mapping is not None and not frame.merging:
                frame.mapping[frame.key or ""] = value  # what _put does, without the call
                frame.key = None
            else:
                self._put(value, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)

    def alias(self, event: events.AliasEvent) -> None:
        """Put in what an anchor stands for; shared, never copied, but counted."""
        if event.anchor not in self._anchors:
            message = f"alias *{event.anchor} has no anchor &{event.anchor} that ends before it"
            raise MalformedError(message, line_of(event))
        value, size = self._anchors[event.anchor]
        self._aliased += size
        self._values += size
        if self._aliased > ALIASED_VALUES:
            message = f"its aliases stand for more than {ALIASED_VALUES} values: write them out"
            raise MalformedError(message, line_of(event))
        frame = self._frames[-1]
        if frame.mapping is not None and frame.key is None:
            frame.key = str(value) if isinstance(value, str | int) else self._bad_key(event)
        else:
            self._put(value, event)

    def open(self, event: events.MappingStartEvent | events.SequenceStartEvent) -> None:
        """Begin a mapping or sequence."""
        if len(self._frames) >= DEPTH:
            raise MalformedError(f"is nested deeper than {DEPTH} levels", line_of(event))
        frames = self._frames
        if frames and frames[-1].mapping is not None:
            if frames[-1].key is None:
                frames[-1].key = self._bad_key(event)
            elif frames[-1].key == _BOOKKEEPING:
                self._skipping = 1
                return
        if len(frames) in (0, 2):
            self._note_line(event)
        mapping: dict[str, Json] | None = {} if type(event) is events.MappingStartEvent else None
        self._values += 1
        frames.append(_Frame(mapping, event.anchor, self._values))

    def _skip(self, event: events.Event) -> None:
        if isinstance(event, events.MappingStartEvent | events.SequenceStartEvent):
            self._skipping += 1
        elif isinstance(event, events.CollectionEndEvent):
            self._skipping -= 1
            if not self._skipping:
                self._put(None, event)

    def close(self, event: events.CollectionEndEvent) -> None:
        """End the innermost mapping or sequence and put it where it belongs."""
        frame = self._frames.pop()
        value: Json = frame.sequence if frame.mapping is None else frame.mapping
        for merged in frame.merges:
            for key, each in merged.items():
                value.setdefault(key, each)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (value, 1 + self._values - frame.before)
        self._put(value, event)

    def _open_key(self, frame: _Frame, mapping: dict[str, Json], event: events.ScalarEvent) -> None:
        key = frame.key = event.value
        if key == "<<" and event.implicit[0]:
            frame.merging = True
        elif key in mapping:
            self._flaw(event, key, f"the key {key!r} is there twice: remove one of the two")

    def _put(self, value: Json, event: events.Event) -> None:
        if not self._frames:
            self.root = value
            return
        frame = self._frames[-1]
        if frame.mapping is None:
            frame.sequence.append(value)
        elif frame.merging:
            self._merge(frame, value, event)
            frame.key, frame.merging = None, False
        else:
            frame.mapping[frame.key or ""] = value
            frame.key = None

    def _merge(self, frame: _Frame, value: Json, event: events.Event) -> None:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                frame.merges.append(each)
            else:
                self._flaw(event, "<<", "a merge (<<) takes a mapping or a list of mappings")

    def _explicit(self, event: events.ScalarEvent) -> Json:
        """Give the value of a word that is quoted or has a tag."""
        if event.tag is None or event.implicit[1]:
            return event.value
        try:
            return tagged(event.value, event.tag)
        except ValueError as error:
            frame = self._frames[-1] if self._frames else None
            self._flaw(event, frame.key if frame else None, str(error))
            return None

    def _bad_key(self, event: events.Event) -> str:
        self._flaw(event, None, "a key must be a plain word")
        return "?"

    def _flaw(self, event: events.Event, key: str | None, message: str) -> None:
        if len(self.flaws) >= PROBLEMS:
            raise MalformedError(
                f"has more than {PROBLEMS} flaws, the last: {message}", line_of(event)
            )
        path = (*self._path(), key) if key else self._path()
        self.flaws.append(Flaw(path, line_of(event), message))

    def _path(self) -> Path:
        """Where the innermost open mapping or sequence is."""
        outer = self._frames[:-1]
        return tuple(f.key or "" if f.mapping is not None else len(f.sequence) for f in outer)

    def _note_line(self, event: events.Event) -> None:
        if not self._frames:
            self.lines[()] = line_of(event)
        elif self._frames[0].key == "items" and self._frames[1].mapping is None:
            self.lines["items", len(self._frames[1].sequence)] = line_of(event)


_HANDLERS: dict[type[events.Event], Callable[[Builder, Any], None]] = {
    events.ScalarEvent: Builder.scalar,
    events.AliasEvent: Builder.alias,
    events.MappingStartEvent: Builder.open,
    events.SequenceStartEvent: Builder.open,
    events.MappingEndEvent: Builder.close,
    events.SequenceEndEvent: Builder.close,
}
