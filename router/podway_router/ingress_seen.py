"""A snapshot as the conversion of one Ingress sees it: what was looked at is noted. Pure."""

from __future__ import annotations

from typing import Any

from podway_cluster import Snapshot
from podway_cluster.model import Route

Key = tuple[str, str]


class Seen:
    """Looks objects up, and tells later whether a new snapshot would have shown the same."""

    __slots__ = ("_noted", "_snapshot", "owned")

    def __init__(self, snapshot: Snapshot, owned: tuple[Route, ...] = ()) -> None:
        self.owned = owned
        """The Routes that were read and that belong to the Ingress."""
        self._snapshot: Snapshot | None = snapshot
        self._noted: dict[tuple[str, Key], Any] = {}

    def get(self, kind: str, key: Key) -> Any:
        """Look up an object by the snapshot's attribute (`services`) and its key."""
        found = getattr(self._snapshot, kind).get(key)
        self._noted[kind, key] = found
        return found

    def close(self) -> None:
        """Look at nothing more: the snapshot need not be kept."""
        self._snapshot = None

    def holds(self, snapshot: Snapshot, owned: tuple[Route, ...]) -> bool:
        """Tell whether all that was looked at is still the same."""
        return self.owned == owned and all(
            getattr(snapshot, kind).get(key) is found for (kind, key), found in self._noted.items()
        )
