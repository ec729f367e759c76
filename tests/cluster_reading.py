"""Read objects from texts, for tests of the cluster part."""

from __future__ import annotations

import textwrap
from typing import Any

from podway_cluster.objects import Content, Place, read_file
from podway_cluster.problem import Problem
from podway_cluster.snapshot import Snapshot, build

PLACE = Place(0, "objects.yaml", "dir/objects.yaml")


def read(text: str) -> Content:
    """Read a YAML text, dedented."""
    return read_file(textwrap.dedent(text).lstrip("\n").encode(), PLACE)


def good(text: str) -> Any:
    """Give the only object of a text in which nothing is wrong."""
    content = read(text)
    assert [str(problem) for problem in content.problems] == []
    (entry,) = content.entries
    assert entry.value is not None
    return entry.value


def faults(text: str) -> list[tuple[str, str]]:
    """Give (field, message) of what is wrong with the only object of a text, which is refused."""
    content = read(text)
    assert [entry.value for entry in content.entries] == [None]
    return [(problem.field, problem.message) for problem in content.problems]


def fault(text: str) -> tuple[str, str]:
    """Give (field, message) of the only thing that is wrong."""
    (only,) = faults(text)
    return only


def problems(text: str) -> list[Problem]:
    """Give all that is wrong."""
    return list(read(text).problems)


def snapshot_of(*texts: str) -> Snapshot:
    """Give the snapshot of the objects of some texts, all good."""
    contents = [read(text) for text in texts]
    wrong = [str(problem) for content in contents for problem in content.problems]
    assert wrong == []
    return build(entry.value for each in contents for entry in each.entries if entry.value)
