"""From the contents of all files to the objects in force: a pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from .model import Object
from .objects import Content, Entry
from .problem import Problem
from .report import Identity

_STAYS = "; its last good version stays in force"
_MOST_NAMED = 5
"""Objects that a sentence lists."""


class Merged(NamedTuple):
    """The objects in force."""

    objects: Mapping[Identity, Object] = MappingProxyType({})
    held: frozenset[Identity] = frozenset()
    """Those whose last good version stands in for what is bad or could not be read now."""
    problems: tuple[Problem, ...] = ()
    shared: frozenset[Identity] = frozenset()
    """Those that several places hold."""


def merge(contents: Iterable[Content], last: Mapping[Identity, Object]) -> Merged:
    """Choose the version of each object: the first good one in reading order, or the last good.

    `last` are the objects that were in force before. An object whose first place is bad stays as
    it was; only where it never was good does a later place count.
    """
    contents = list(contents)
    claims: dict[Identity, list[Entry]] = {}
    for content in contents:
        for entry in content.entries:
            claims.setdefault(entry.identity, []).append(entry)
    objects: dict[Identity, Object] = {}
    held: set[Identity] = set()
    for identity, entries in claims.items():
        chosen = _choose(entries, last.get(identity))
        if chosen is not None:
            objects[identity] = chosen
            if all(chosen is not entry.value for entry in entries) and entries[0].value is None:
                held.add(identity)
    for entry in (entry for content in contents for entry in content.retained):
        if entry.identity not in claims and entry.identity in last:
            objects[entry.identity] = last[entry.identity]
            held.add(entry.identity)
    problems = tuple(_problems(contents, held, _twice(claims)))
    shared = frozenset(identity for identity, entries in claims.items() if len(entries) > 1)
    return Merged(objects, frozenset(held), problems, shared)


def remerge(merged: Merged, before: Content, after: Content) -> dict[Identity, Object] | None:
    """Give the objects that differ when a file's content turns from `before` to `after`.

    They are what `merge` of all contents would give. None where only that can tell: where the file
    now holds other objects, or something is wrong with it, or others hold the same.
    """
    names = [entry.identity for entry in after.entries]
    if names != [entry.identity for entry in before.entries] or len(set(names)) < len(names):
        return None
    if not (_is_good(before) and _is_good(after)):
        return None
    if not (merged.shared.isdisjoint(names) and merged.held.isdisjoint(names)):
        return None
    return {
        entry.identity: entry.value
        for entry in after.entries
        if entry.value is not None and merged.objects[entry.identity] != entry.value
    }


def _is_good(content: Content) -> bool:
    entries = content.entries
    wrong = content.problems or content.retained or not content.complete
    return not wrong and all(entry.value is not None for entry in entries)


def _choose(entries: list[Entry], last: Object | None) -> Object | None:
    first = entries[0].value
    if first is not None:
        return last if first == last else first  # the same value again: what it led to is kept
    if last is not None:
        return last
    return next((entry.value for entry in entries if entry.value is not None), None)


def _twice(claims: Mapping[Identity, list[Entry]]) -> dict[str, list[Problem]]:
    """Report every place of an object but its first one; by file."""
    found: dict[str, list[Problem]] = {}
    for identity, (first, *others) in claims.items():
        for entry in others:
            message = f"is already in {first.origin}, which counts: remove one of the two"
            problem = Problem(*entry.origin, *identity, "", message)
            found.setdefault(entry.origin.file, []).append(problem)
    return found


def _problems(
    contents: Iterable[Content], held: set[Identity], twice: Mapping[str, list[Problem]]
) -> Iterator[Problem]:
    for content in contents:
        for problem in content.problems:
            yield _with_consequence(problem, held)
        yield from _staying(content, held)
        seen = {entry.origin.file for entry in content.entries}
        for file in seen:
            yield from twice.get(file, ())


def _with_consequence(problem: Problem, held: set[Identity]) -> Problem:
    """Add what the problem leads to, so that nobody has to wonder what is being served."""
    if (problem.kind, problem.namespace, problem.name) not in held:
        return problem
    return problem._replace(message=problem.message + _STAYS)


def _staying(content: Content, held: set[Identity]) -> Iterator[Problem]:
    """Name what a file held before and may still hold."""
    found = [entry.identity for entry in content.retained if entry.identity in held]
    if not found or not content.problems:
        return
    names = [Problem("", 0, *identity, "", "").label for identity in found[:_MOST_NAMED]]
    more = ["…"] if len(found) > _MOST_NAMED else []
    message = f"what it held before stays in force until it is right: {', '.join(names + more)}"
    first = content.problems[0]
    yield first._replace(kind="", namespace="", name="", field="", message=message)


def stay(count: int) -> str:
    """Say how many objects stay in force though they can't be read; nothing where there is none."""
    if not count:
        return ""
    return f"; {count} {'object' if count == 1 else 'objects'} read from it before stay in force"
