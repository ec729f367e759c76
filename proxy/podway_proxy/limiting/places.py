"""The places that one Route has at its endpoints, and who waits for one.

At most `most` requests (connections, where TCP is handed through) are with an endpoint at once,
over all workers of the daemon: HAProxy's `maxconn` of a server. A worker counts a place as taken
before it looks how many the others have, and gives it back where that was one too many: two that
come at the same moment may both have to wait, never both be let in.

Whoever finds no room waits in a line: for any endpoint, or for one certain endpoint (`source`).
Within a worker a line is first come, first served. A worker that gives a place back leaves it to
the worker whose first has waited longer, and rings; should that one not come, it is free for all
with the next tick. So nobody waits while there is room for longer than a tick.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from podway_proxy.limiting.table import ACTIVE, KEY
from podway_proxy.values import Address, Endpoint

if TYPE_CHECKING:
    from podway_proxy.limiting.hall import Hall

SINCE = 2
"""The word of a line's cell that tells since when its first waits, in milliseconds; 0: none."""


TRIES = 3
"""Attempts at a place that another worker tries to take at the same moment."""
KNOWN = 64
"""Endpoints that are remembered, besides those in use, before what is known is forgotten."""


class Waiting(Protocol):
    """Who waits in a line."""

    since: int
    """Milliseconds of the plane's clock."""

    def try_again(self) -> bool:
        """Take a place and go on, if there is one; True: it is no longer in the line."""


class Serving(Protocol):
    """A Route's endpoints as they are at the moment: a line may outlive a reload."""

    def choose(self, client: str) -> Iterator[Endpoint]:
        """Give those for a client at that IP address, in the order in which to try them."""

    def has(self, address: Address) -> bool:
        """Tell whether this is one of them."""


class Line:
    """Those who wait for the same: any endpoint, or one."""

    __slots__ = ("_hall", "_key", "_waiting")

    def __init__(self, hall: Hall, key: int) -> None:
        self._hall = hall
        self._key = key
        self._waiting: OrderedDict[Waiting, None] = OrderedDict()

    def __len__(self) -> int:
        """Give how many wait."""
        return len(self._waiting)

    @property
    def since(self) -> int:
        """Since when the first waits."""
        return next(iter(self._waiting)).since

    def first(self) -> Waiting:
        """Give who is next."""
        return next(iter(self._waiting))

    def join(self, waiting: Waiting) -> None:
        """Wait behind all who are there."""
        self._waiting[waiting] = None
        if len(self._waiting) == 1:
            self._publish()

    def leave(self, waiting: Waiting) -> None:
        """Wait no more."""
        was_first = self.first() is waiting
        del self._waiting[waiting]
        if was_first:
            self._publish()

    def others_since(self) -> int:
        """Give since when the first in another worker's line waits; 0: nobody does."""
        table = self._hall.table
        times = [time for at in table.others(self._key) if (time := table.words[at + SINCE])]
        return min(times, default=0)

    def _publish(self) -> None:
        table = self._hall.table
        at = table.claim(self._key)
        if at >= 0:
            waits = len(self._waiting)
            table.words[at + SINCE] = self.since if waits else 0
            table.words[at + ACTIVE] = waits  # keeps the cell


class Places:
    """One Route's, in one worker. It goes on over reloads."""

    __slots__ = (
        "_cells",
        "_hall",
        "_keys",
        "_lines",
        "_name",
        "_taken",
        "most",
        "patience",
        "serving",
    )

    def __init__(self, hall: Hall, name: str, serving: Serving, most: int) -> None:
        self._hall = hall
        self._name = name
        self.most = most
        """Places at each endpoint."""
        self.patience = 5.0
        """Seconds after which whoever waits is turned away."""
        self.serving = serving
        self._taken: dict[Address, int] = {}
        """By this worker."""
        self._keys: dict[Address, int] = {}
        self._cells: dict[Address, int] = {}
        """Where they stood in the table when they were last looked for."""
        self._lines: dict[Address | None, Line] = {}

    @property
    def idle(self) -> bool:
        """Nobody has a place, and nobody waits."""
        return not (self._taken or self.waiting)

    @property
    def waiting(self) -> int:
        """How many wait in this worker."""
        return sum(map(len, self._lines.values()))

    def first(self, candidates: Iterable[Endpoint]) -> Endpoint | None:
        """Take a place at the first of the candidates that has one."""
        return next((one for one in candidates if self.take(one.address)), None)

    def crowded(self, wanted: Address | None) -> bool:
        """Tell whether others were there before: who comes now has to wait behind them."""
        line = self._line(wanted)
        return len(line) > 0 or (not self._hall.table.alone and line.others_since() > 0)

    def take(self, address: Address) -> bool:
        """Take a place at an endpoint if there is one.

        The place is written down before the others' are read; the processor has long passed on
        the write when the interpreter comes to the reading.
        """
        taken = self._taken.get(address, 0)
        if taken >= self.most:
            return False
        for _ in range(TRIES):
            self._set(address, taken + 1)
            if taken + 1 + self._elsewhere(address) <= self.most:
                return True
            self._set(address, taken)
            if taken + self._elsewhere(address) >= self.most:
                break  # else two were one too many, and both have stepped back
        return False

    def force(self, address: Address) -> None:
        """Take a place, there or not: for a second attempt at an endpoint that was just left."""
        self._set(address, self._taken.get(address, 0) + 1)

    def give(self, address: Address) -> None:
        """Give a place back, and see who waits for it."""
        self._set(address, self._taken[address] - 1)
        if self.waiting:
            self._hall.serve_soon(self)
        if not self._hall.table.alone and self._wanted_elsewhere(address):
            self._hall.bell.ring()

    def join(self, waiting: Waiting, wanted: Address | None) -> None:
        """Wait for a place."""
        self._line(wanted).join(waiting)
        self._hall.joined(self)
        if not self._hall.table.alone:
            # A place may have been given back elsewhere before it was known that somebody waits.
            self._hall.serve_soon(self)

    def leave(self, waiting: Waiting, wanted: Address | None) -> None:
        """Wait no more."""
        self._lines[wanted].leave(waiting)
        self._hall.left()

    def serve(self, *, patient: bool) -> None:
        """Let those go on for whom there is room; `patient`: after those who came before them."""
        lines = [line for line in self._lines.values() if len(line)]
        for line in sorted(lines, key=lambda line: line.since):
            while len(line):
                if patient and 0 < line.others_since() < line.since:
                    break
                if not line.first().try_again():
                    break

    def _elsewhere(self, address: Address) -> int:
        table = self._hall.table
        if table.alone:
            return 0
        return sum(table.words[at + ACTIVE] for at in table.others(self._key(address)))

    def _wanted_elsewhere(self, address: Address) -> bool:
        return any(self._line(wanted).others_since() for wanted in (None, address))

    def _set(self, address: Address, taken: int) -> None:
        table = self._hall.table
        if taken:
            self._taken[address] = taken
        else:
            del self._taken[address]
        key = self._key(address)
        at = self._cells.get(address, -1)
        if at < 0 or table.words[at + KEY] != key:
            at = self._cells[address] = table.claim(key)
        if at >= 0:
            table.words[at + ACTIVE] = taken

    def _key(self, address: Address) -> int:
        key = self._keys.get(address)
        if key is None:
            if len(self._keys) > len(self._taken) + KNOWN:
                self._keys.clear()
                self._cells.clear()
            key = self._hall.table.key(f"place {self._name} {address[0]} {address[1]}")
            self._keys[address] = key
        return key

    def _line(self, wanted: Address | None) -> Line:
        line = self._lines.get(wanted)
        if line is None:
            if len(self._lines) > KNOWN:
                self._lines = {each: one for each, one in self._lines.items() if len(one)}
            key = self._hall.table.key(f"line {self._name} {wanted or ''}")
            line = self._lines[wanted] = Line(self._hall, key)
        return line
