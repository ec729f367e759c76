"""What is wrong with one file, collected while it is read, within a cap."""

from __future__ import annotations

from typing import NamedTuple

from .parse.builder import Path
from .parse.caps import PROBLEMS
from .parse.documents import Document, Unreadable
from .parse.fields import spell
from .problem import Problem

Identity = tuple[str, str, str]
"""(kind, namespace, name)."""

NOBODY: Identity = ("", "", "")
"""The identity of what is no object."""


class _Finding(NamedTuple):
    """A problem before its line is looked up."""

    path: Path
    """From the document's root."""
    base: int
    """How many steps of the path lead to the object."""
    identity: Identity
    message: str
    line: int
    """In the file, from 1; 0 where it is still to be looked up."""


class Report:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.count = 0
        """How many there are, those that are not kept included."""
        self.nameless = False
        """Whether something is wrong with what has no name to know it by."""
        self._file = file
        self._problems: list[Problem] = []
        self._pending: list[_Finding] = []

    def add(self, path: Path, base: int, identity: Identity, message: str, line: int = 0) -> None:
        """Add what is wrong at a path of the current document."""
        self.count += 1
        self.nameless = self.nameless or not identity[2]
        if self.count <= PROBLEMS:
            self._pending.append(_Finding(path, base, identity, message, line))

    def unreadable(self, part: Unreadable) -> None:
        """Add a document that can't be read."""
        self.count += 1
        if self.count <= PROBLEMS:
            problem = Problem(self._file, part.line, *NOBODY, "", part.message)
            self._problems.append(problem)

    def look_up_lines(self, document: Document) -> None:
        """Turn what was added into problems: the current document ends here."""
        if not self._pending:
            return
        lines = document.find_lines({each.path for each in self._pending if not each.line})
        for path, base, identity, message, line in self._pending:
            at = line or lines[path]
            problem = Problem(self._file, at, *identity, spell(path[base:]), message)
            self._problems.append(problem)
        self._pending.clear()

    def problems(self) -> tuple[Problem, ...]:
        """Give the problems, and where they are too many, how many more there are."""
        more = self.count - len(self._problems)
        if not more:
            return tuple(self._problems)
        message = f"has {more} more problems: correct those above first"
        last = self._problems[-1]
        return (*self._problems, Problem(last.file, last.line, *NOBODY, "", message))
