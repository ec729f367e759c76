"""Host and path to whatever is kept for them: dictionary look-ups only. Pure and immutable.

Within a host the longest path wins; `/sub` matches `/sub` and what is below `/sub/`, `/sub/` only
the latter; case matters and nothing is decoded (`reference/route-api.md` section 3). A path that
is written `=/sub` (an Ingress's Exact) matches `/sub` alone, and before all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
EXACT = "="
"""Before a path: it matches as a whole only. No path of a Route begins so."""
_EXACT = EXACT.encode()
_SLASH = ord("/")


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


class ExactPaths(Paths[T]):
    """The paths of a host that has exact ones: the other hosts' look-ups know nothing of them."""

    __slots__ = ()

    def find(self, path: bytes) -> T | None:
        """Give what this very path leads to, else what the longest one does that covers it."""
        found = self.by_path.get(_EXACT + path)
        return found if found is not None else super().find(path)


class Row(NamedTuple, Generic[T]):
    """One entry of a table."""

    host: str
    """A host, or `*.<domain>` for every host of one more label."""
    path: str
    value: T


class Table(Generic[T]):
    """Hosts, exact and as wildcards of one label."""

    __slots__ = ("_by_host", "_wild")

    def __init__(self, rows: Iterable[Row[T]] = ()) -> None:
        """Take rows; of two with the same host and path the last counts."""
        self._by_host: dict[str, Paths[T]] = {}
        self._wild = False
        self._change((), rows)

    def replaced(self, gone: Iterable[Row[T]], rows: Iterable[Row[T]]) -> Table[T]:
        """Give a table without the rows `gone` and with `rows`; this one stays as it is.

        It costs a copy of one dictionary and the paths of the hosts concerned, so that a change
        among ten thousand hosts does not hold a worker up.
        """
        gone, rows = list(gone), list(rows)
        if not gone and not rows:
            return self
        new: Table[T] = Table()
        new._by_host = dict(self._by_host)
        new._wild = self._wild
        new._change(gone, rows)
        return new

    def exact(self, host: str, path: bytes = b"/") -> T | None:
        """Look a host up as it is."""
        paths = self._by_host.get(host)
        return None if paths is None else paths.find(path)

    def wildcard(self, host: str, path: bytes = b"/") -> T | None:
        """Look up the wildcard of the host's parent."""
        return self.exact("*." + host.partition(".")[2], path) if self._wild else None

    def find(self, host: str, path: bytes = b"/") -> T | None:
        """Look a host up: exactly, else as a wildcard (also where only the path is not found)."""
        paths = self._by_host.get(host)
        found = None if paths is None else paths.find(path)
        return found if found is not None or not self._wild else self.wildcard(host, path)

    def any_of(self, host: str) -> T | None:
        """Give what any path of this host, or `*.<domain>`, leads to; None if there is no path."""
        paths = self._by_host.get(host)
        return None if paths is None else next(iter(paths.by_path.values()))

    def shortest(self, host: str) -> T | None:
        """Give what the shortest path of this host, or `*.<domain>`, leads to."""
        paths = self._by_host.get(host)
        if paths is None:
            return None
        return paths.by_path[min(paths.by_path, key=lambda path: (len(path), path))]

    def sole(self, host: str) -> T | None:
        """Give what all paths of this host lead to; None where not all lead to one, or anywhere."""
        paths = self._by_host.get(host) or self._by_host.get("*." + host.partition(".")[2])
        return paths.by_path.get(b"/") if paths is not None and len(paths.by_path) == 1 else None

    def hosts(self) -> Iterator[str]:
        """Give the hosts, wildcards as `*.<domain>`."""
        return iter(self._by_host)

    def _change(self, gone: Iterable[Row[T]], rows: Iterable[Row[T]]) -> None:
        changed: dict[str, dict[bytes, T]] = {}
        for row in gone:
            self._open(changed, row.host).pop(row.path.encode(), None)
        for row in rows:
            self._open(changed, row.host)[row.path.encode()] = row.value
            self._wild = self._wild or row.host.startswith("*.")
        for host, by_path in changed.items():
            if by_path:
                self._by_host[host] = _paths(by_path)
            else:
                self._by_host.pop(host, None)

    def _open(self, changed: dict[str, dict[bytes, T]], host: str) -> dict[bytes, T]:
        """Give a copy of a host's paths that may be changed."""
        paths = changed.get(host)
        if paths is None:
            known = self._by_host.get(host)
            paths = changed[host] = dict(known.by_path) if known is not None else {}
        return paths


def _paths(by_path: dict[bytes, T]) -> Paths[T]:
    covering = {len(path) for path in by_path if not path.startswith(_EXACT)}
    lengths = tuple(sorted(covering, reverse=True))
    exact = any(path.startswith(_EXACT) for path in by_path)
    return ExactPaths(by_path, lengths) if exact else Paths(by_path, lengths)
