"""Host and path to whatever is kept for them: dictionary look-ups only. Pure and immutable.

Within a host the longest path wins; `/sub` matches `/sub` and what is below `/sub/`, `/sub/` only
the latter; case matters and nothing is decoded (`reference/route-api.md` section 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Paths(NamedTuple, Generic[T]):
    """The paths of one host."""

    by_path: Mapping[bytes, T]
    lengths: tuple[int, ...]
    """The lengths that occur, longest first: one look-up each, however long the request's path."""

    def find(self, path: bytes) -> T | None:
        """Give what the longest path that covers `path` leads to."""
        size = len(path)
        for length in self.lengths:
            if length > size:
                continue
            found = self.by_path.get(path[:length])
            if found is not None and (
                length == size or path[length - 1] == _SLASH or path[length] == _SLASH
            ):
                return found
        return None


_SLASH = ord("/")


class Table(Generic[T]):
    """Hosts, exact and as wildcards of one label."""

    __slots__ = ("_exact", "_wild")

    def __init__(self, rows: Iterable[tuple[str, str, T]]) -> None:
        """Take rows of (host or `*.domain`, path, value); of two equal rows the first counts."""
        exact: dict[str, dict[bytes, T]] = {}
        wild: dict[str, dict[bytes, T]] = {}
        for host, path, value in rows:
            side, name = (wild, host[2:]) if host.startswith("*.") else (exact, host)
            side.setdefault(name, {}).setdefault(path.encode(), value)
        self._exact = {host: _paths(paths) for host, paths in exact.items()}
        self._wild = {host: _paths(paths) for host, paths in wild.items()}

    def exact(self, host: str, path: bytes = b"/") -> T | None:
        """Look a host up as it is."""
        paths = self._exact.get(host)
        return None if paths is None else paths.find(path)

    def wildcard(self, host: str, path: bytes = b"/") -> T | None:
        """Look up the wildcard of the host's parent."""
        if not self._wild:
            return None
        paths = self._wild.get(host.partition(".")[2])
        return None if paths is None else paths.find(path)

    def find(self, host: str, path: bytes = b"/") -> T | None:
        """Look a host up: exactly, else as a wildcard (also where only the path is not found)."""
        found = self.exact(host, path)
        return found if found is not None else self.wildcard(host, path)

    def knows(self, host: str) -> bool:
        """Tell whether any path of the host is in the table, exactly or by wildcard."""
        return host in self._exact or host.partition(".")[2] in self._wild


def _paths(by_path: dict[bytes, T]) -> Paths[T]:
    return Paths(by_path, tuple(sorted({len(path) for path in by_path}, reverse=True)))
