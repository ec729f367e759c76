"""A cap on the log lines that strangers can cause, or one dead pod under load can.

Within a second the first lines of each kind are written as they are; the others are counted, and
one line says how many there were. Metrics count all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from podway_proxy.log import Log
    from podway_proxy.plane.plane import Plane

SECOND: Final = 1.0
PER_KIND: Final = 10
"""Lines of one kind (event and step, or event and route) in a second; what a person can follow."""
KINDS: Final = 10
"""Kinds told apart in a second: with those left out, 110 lines are the most that are written."""
OTHERS: Final = ("", "")
"""The kind of all that come when KINDS are known."""


class Restraint:
    """Writes info lines to a log, at most so many in a second."""

    __slots__ = ("_lines", "_log", "_plane")

    def __init__(self, plane: Plane, log: Log) -> None:
        self._plane = plane
        self._log = log
        self._lines: dict[tuple[str, str], int] = {}
        """What came of each kind since the current second began; empty: none has begun."""

    def info(self, event: str, /, **fields: object) -> None:
        """Write a line, or count it. `step`, else `by`, tells kinds of the same event apart."""
        lines = self._lines
        if not lines:
            self._plane.deadline(self, self._plane.now + SECOND)
        kind = (event, str(fields.get("step") or fields.get("by") or ""))
        if kind not in lines and len(lines) >= KINDS:
            kind = OTHERS
        lines[kind] = count = lines.get(kind, 0) + 1
        if count <= PER_KIND:
            self._log.info(event, **fields)

    def on_deadline(self) -> None:
        """Say what was not written of the second that is over."""
        lines, self._lines = self._lines, {}
        for (event, what), count in lines.items():
            if count > PER_KIND:
                more = count - PER_KIND
                self._log.info(f"{more} more not shown", of=event or "other lines", kind=what)
