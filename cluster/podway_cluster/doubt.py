"""How long to wait for a file that seems to be in the middle of being written: pure, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Set

from .objects import Place
from .scan import Signature

_MOST = 10
"""What other files hold waits with such a file at most for this many times the patience."""

States = Mapping[Place, Signature | None]
"""The files in doubt, each with what tells its states apart."""


class Doubt:
    """Decides whether what seems half-written counts.

    It does once it stayed as it is for `patience` seconds; with 0 it counts at once.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._seen: dict[Place, tuple[Signature | None, float]] = {}
        """What each file was like, and since when."""
        self._waiting = False
        self._since = 0.0

    def unripe(self, states: States, now: float) -> Set[Place]:
        """Give those that do not count yet; `states` are all files in doubt as seen at `now`."""
        if not self._waiting:
            self._since = now
        seen, self._seen = self._seen, {}
        for place, state in states.items():
            before = seen.get(place)
            self._seen[place] = before if before and before[0] == state else (state, now)
        found = {place for place, (_, at) in self._seen.items() if now - at < self._patience}
        self._waiting = bool(found)
        return found

    def drags_on(self, now: float) -> bool:
        """Tell whether other files have waited long enough."""
        return now - self._since >= self._patience * _MOST
