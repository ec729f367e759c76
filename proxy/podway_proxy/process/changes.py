"""Differences between two sets of entries, and the replica that they build up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import is_, is_not
from typing import Any

from podway_proxy.process.spec import Changes, Json


def difference(old: Mapping[str, Json], new: Mapping[str, Json], version: int) -> Changes:
    """Give what turns `old` into `new`."""
    if len(old) == len(new) and all(map(is_, old, new)):  # the usual case takes a third
        differing = compress(new, map(is_not, old.values(), new.values()))
        return Changes(version, {key: new[key] for key in differing if old[key] != new[key]}, ())
    missing = object()
    put = {
        key: value
        for key, value in new.items()
        # Most are the very same objects: only the others are looked into.
        if (before := old.get(key, missing)) is not value and before != value
    }
    drop = tuple(key for key in old if key not in new)
    return Changes(version, put, drop)


class Replica:
    """A worker's copy of its loader's entries. `entries` is replaced whole, never changed."""

    __slots__ = ("entries", "version")

    def __init__(self) -> None:
        self.entries: Mapping[str, Json] = {}
        self.version = 0

    def take(self, message: Mapping[str, Any]) -> frozenset[str]:
        """Apply a loader's message; give the keys whose values differ from before.

        A message is `{"version", "put", "drop", "full"}`; `full` means that `put` is everything.
        """
        before = self.entries
        if message["full"]:
            changes = difference(before, message["put"], message["version"])
        else:
            changes = Changes(message["version"], message["put"], tuple(message["drop"]))
        merged = {**before, **changes.put}
        for key in changes.drop:
            merged.pop(key, None)
        self.entries, self.version = merged, changes.version
        return frozenset(changes.put).union(changes.drop)
