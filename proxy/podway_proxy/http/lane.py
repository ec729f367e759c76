"""Which requests may take the fast lane, and where it leads: see `quick` for the lane itself.

The usual request needs no look at its path, its client or its fields beyond Host and Connection:
all that its way depends on is its Host. That is found out once, by the first request that takes
the general way, and remembered until `forget`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from podway_proxy.http.client import READ_BYTES
from podway_proxy.http.finding import NOWHERE
from podway_proxy.http.refuse import FIELDS
from podway_proxy.http.shapes import Shape, Shapes, of_answer, of_request
from podway_proxy.http.target import Pick, Target
from podway_proxy.values import Arrival, Endpoint

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_proxy.limits import Limits

MOST: Final = 1024
"""Hosts remembered: some 0.5 MB."""
_SERVED: Final = frozenset(
    (
        *("candidates", "label", "proto", "server_timeout", "tunnel_timeout", "connect_timeout"),
        *("on_open", "on_close", "on_failure", "choose", "pick", "extras", "counts"),
    )
)
"""What of a Target the lane goes by, or leaves to the general way where that takes over."""
_OTHERS: Final = tuple(one.name for one in fields(Target) if one.name not in _SERVED)

NOBODYS: Final = memoryview(bytearray(48)).cast("Q")
"""What is counted in place of a target that wants no numbers."""

Settled = Callable[[str, Arrival], bool | None]
"""Tells whether all requests to a host on a connection that arrived so have one target, whatever
their path and fields: `settled(host, arrival)`. None: no, but others' on another connection may.
What it says of one connection without TLS holds for all."""


class Lane:
    """Where the usual requests with one Host go."""

    __slots__ = (
        *("counts", "first", "host", "line", "most", "named", "on_close", "on_open", "others"),
        *("patience", "shape", "target", "usual"),
    )

    def __init__(self, host: str, named: bytes, target: Target, pick: Pick, most: int) -> None:
        self.host = host
        self.named = named
        """The Host as it is sent, in lower case."""
        self.line = b"\nHost: " + named + b"\r\n"
        """How a usual request says so."""
        self.target = target
        self.first: Callable[[str], Endpoint | None] = pick.first
        self.others: Callable[[Endpoint, str], Iterator[Endpoint]] = pick.others
        self.counts = NOBODYS if target.counts is None else target.counts
        """As the target's."""
        self.on_open = target.on_open
        self.on_close = target.on_close
        self.patience = target.server_timeout
        self.usual = target.extras.usual if target.extras is not None else None
        """What is done to requests and answers besides."""
        self.shape: Shape | None = None
        """What the answers looked like lately."""
        self.most = min(most, READ_BYTES - 1)
        """Bytes of the longest head; a read that is full may have left some behind."""


class Lanes:
    """The lanes of one front by Host."""

    __slots__ = ("_asked", "answers", "by_host", "requests")

    def __init__(self) -> None:
        self.by_host: dict[bytes, Lane] = {}
        self._asked: set[bytes] = set()
        """Hosts of which it is known whether they have a lane."""
        self.requests = Shapes(of_request)
        self.answers = Shapes(of_answer)

    def learn(
        self, request: Request, arrival: Arrival, target: Target, settled: Settled, limits: Limits
    ) -> None:
        """Remember where a request's host leads, if it leads one way for all usual requests."""
        named = request.named
        if named in self._asked or (found := settled(request.host, arrival)) is None:
            return
        if len(self._asked) >= MOST:
            self.forget()
        self._asked.add(named)
        plain = all(getattr(target, name) == getattr(NOWHERE, name) for name in _OTHERS)
        extras = target.extras
        if extras is not None and extras.usual is None:
            return
        if target.pick is None or not plain or limits.head_fields < FIELDS:
            return
        if found:
            self.by_host[named] = Lane(request.host, named, target, target.pick, limits.head_bytes)

    def forget(self) -> None:
        """Know no lane any more: requests may have other targets from now on."""
        self.by_host.clear()
        self._asked.clear()
