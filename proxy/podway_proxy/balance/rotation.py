"""Round robin over endpoints of equal weight: a cursor, whatever their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podway_proxy.values import Endpoint


class Rotation:
    """One after the other. A pick costs the same for two endpoints and for a thousand."""

    __slots__ = ("_at", "_endpoints", "_retry")

    def __init__(self, endpoints: Sequence[Endpoint], at: int = 0) -> None:
        self._endpoints = tuple(endpoints)
        self._at = at
        self._retry = at
        # Retries have a cursor of their own: with one cursor the neighbour of a dead endpoint
        # would take all of its share, instead of all the others a part.

    def upcoming(self) -> tuple[Endpoint, ...]:
        """Give the endpoints in the order in which their turns come."""
        return self._endpoints[self._at :] + self._endpoints[: self._at]

    def candidates(self, client: str) -> Iterator[Endpoint]:
        """Give the one whose turn it is, then the others, each round of retries from a new one."""
        first = self.first(client)
        yield first
        yield from self.others(first, client)

    def first(self, client: str) -> Endpoint:
        """Give the one whose turn it is."""
        at = self._at
        self._at = at + 1 if at + 1 < len(self._endpoints) else 0
        return self._endpoints[at]

    def others(self, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give the others, each round of retries from a new one."""
        endpoints = self._endpoints
        tried = endpoints.index(first)
        start = self._retry = (self._retry + 1) % len(endpoints)
        if start == tried:
            start = self._retry = (start + 1) % len(endpoints)
        for at in range(start, start + len(endpoints)):
            if at % len(endpoints) != tried:
                yield endpoints[at % len(endpoints)]


def rotate(endpoints: Sequence[Endpoint], previous: Rotation | None, fresh_start: int) -> Rotation:
    """Make a rotation that goes on where the previous one was, or begins at `fresh_start`.

    The next turn is that of the first in the previous order of turns who is still there.
    """
    if previous is not None:
        places = {each.address: at for at, each in reversed(list(enumerate(endpoints)))}
        for each in previous.upcoming():
            at = places.get(each.address)
            if at is not None:
                return Rotation(endpoints, at)
    return Rotation(endpoints, fresh_start)
