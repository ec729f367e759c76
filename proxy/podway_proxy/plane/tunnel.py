"""One client's connection after the decision: dial, then copy both ways."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from podway_proxy.gate import STEP
from podway_proxy.plane.dial import Dial, begin
from podway_proxy.plane.flow import FILL
from podway_proxy.plane.plane import BROKEN, GONE, READ, READING
from podway_proxy.plane.trickle import Trickle
from podway_proxy.values import Arrival, Endpoint, Forward, Refuse

if TYPE_CHECKING:
    from podway_proxy.plane.front import TcpFront

NEVER: Final = math.inf


class Closed(Protocol):
    """How a client's connection ended: what logs and counters need."""

    @property
    def arrival(self) -> Arrival:
        """The connection as it came in."""

    @property
    def how(self) -> str:
        """As `Ended.how`; `client-reset` also before a relay was there; `refused`."""

    @property
    def endpoint(self) -> Endpoint | None:
        """Whereto it was carried."""

    @property
    def label(self) -> str:
        """What chose that."""

    @property
    def to_server(self) -> int:
        """Bytes from the client that were taken for the endpoint."""

    @property
    def to_client(self) -> int:
        """Bytes from the endpoint."""

    @property
    def refused(self) -> Refuse | None:
        """Why it was not carried anywhere."""


class Uncarried(NamedTuple):
    """A connection that ended before it was carried anywhere, as `Closed`."""

    arrival: Arrival
    how: str
    label: str = ""
    refused: Refuse | None = None
    endpoint: Endpoint | None = None
    to_server: int = 0
    to_client: int = 0


class Tunnel(Trickle):
    """A connection of a `TcpFront` on its way to an endpoint: `carry` once, then it ends itself.

    It is its own `Closed` after the end.
    """

    __slots__ = (
        "_dial",
        "_drained",
        "_forward",
        "_front",
        "_held",
        "_waits",
        "arrival",
        "endpoint",
    )

    refused: None = None
    endpoint: Endpoint | None
    _dial: Dial | None
    _held: bytes
    """What the endpoint gets as soon as it is connected."""
    _waits: bool
    """Until an endpoint has room."""
    _drained: bool
    """The client's socket was read empty, and no edge came since."""

    def __init__(
        self, front: TcpFront[Any], sock: socket.socket, arrival: Arrival, forward: Forward
    ) -> None:
        self.plane = front.plane
        self.client = sock
        self.arrival = arrival
        self._front = front
        self._forward = forward
        self.idle_timeout = forward.idle_timeout
        self.last = NEVER
        self.to_client = 0
        self.filed = self._drained = self._waits = False
        self._half = self._relay = self._dial = self.endpoint = None
        self._held = b""
        front.parts.add(self)

    @property
    def label(self) -> str:
        """What chose the endpoint."""
        return self._forward.label

    def carry(self, skip: int, gone: bool) -> None:
        """Read the client's first bytes, less `skip` that are dealt with, and dial.

        `gone`: an edge told that no more will come, so the read can't tell that it was all.
        """
        plane, forward, arrival = self.plane, self._forward, self.arrival
        try:
            got = self.client.recv_into(plane.buffer, FILL)
            self._drained = got < FILL and not gone
        except BlockingIOError:
            got = 0
            self._drained = True
        except OSError:
            self._abandon("client-reset")
            return
        data = plane.view[skip:got].tobytes()
        choose, gate = forward.choose, forward.gate
        candidates = iter(forward.candidates) if choose is None else choose(arrival.client[0])
        if gate is None:
            self._go(data, candidates)
            return
        admitted = gate.enter(candidates, partial(self._go, data), self._turned_away)
        if admitted is None:
            self._waits = True
            plane.watch(self.client.fileno(), self._on_event, READING)
        else:
            self._go(data, admitted)

    def stop(self) -> None:
        """Cut the connection."""
        if self._relay is not None:
            self._relay.stop()
        elif self.endpoint is not None:
            self.cut("stopped")
        else:
            self._abandon("stopped")

    def on_deadline(self) -> None:
        """End what has been quiet for too long, unless that is no longer so."""
        self.filed = False
        if self.until <= self.plane.now:
            self.cut("idle" if self._half is None else "half-closed")
        else:
            self._front.sweep.file(self)

    def finished(self) -> None:
        """Note that the connection has ended."""
        if self.filed:
            self.plane.deadline(self, NEVER)
        on_close, endpoint = self._forward.on_close, self.endpoint
        if on_close is not None and endpoint is not None:
            on_close(endpoint)
        self._front.ended(self, self)

    def _go(self, data: bytes, candidates: Iterator[Endpoint]) -> None:
        """Go to one of the candidates, with the client's first bytes behind the prefix.

        A greeting comes before them, and they must wait for its answer.
        """
        forward, announce = self._forward, self._forward.announce
        self._waits = False
        self.to_server = len(data)
        prefix = forward.prefix if announce is None else announce(self.arrival)
        if forward.greeting:
            self._held = data
            self._dial_to(candidates, prefix + forward.greeting)
        elif prefix or data:
            self._begin(candidates, prefix + data)
        else:
            self._dial_to(candidates, b"")

    def _begin(self, candidates: Iterator[Endpoint], first: bytes) -> None:
        """Try the first candidate, which nearly always is the one; leave all else to a `Dial`."""
        endpoint = next(candidates, None)
        if endpoint is None:
            self._failed([])
            return
        try:
            server = begin(endpoint, self._front.source)
        except OSError as error:
            self._dial_to(candidates, first, (endpoint, error))
            return
        try:
            sent = server.send(first)
        except BlockingIOError:
            self._dial_to(candidates, first, (endpoint, server))
        except OSError as error:
            server.close()
            self._dial_to(candidates, first, (endpoint, error))
        else:
            tally = self.plane.tally
            tally.row[tally.connected] += 1
            if sent < len(first):
                self._held = first[sent:]
            self._connected(server, endpoint)

    def _dial_to(
        self,
        candidates: Iterator[Endpoint],
        first: bytes,
        tried: tuple[Endpoint, socket.socket | OSError] | None = None,
    ) -> None:
        front, forward = self._front, self._forward
        dial = Dial(
            front.plane,
            candidates,
            self._connected,
            self._failed,
            forward.connect_timeout,
            front.source,
            forward.on_failure,
            first=first,
            answer=forward.greeting_answer,
            on_rest=self._hold,
            tried=tried,
        )
        if not dial.over:
            self._dial = dial
            front.plane.watch(self.client.fileno(), self._on_event, READING)

    def _hold(self, rest: bytes) -> None:
        """Keep what the endpoint has not yet taken of the first bytes."""
        self._held = rest + self._held

    def _connected(self, server: socket.socket, endpoint: Endpoint) -> None:
        forward = self._forward
        self._dial = None
        self.server = server
        self.endpoint = endpoint
        if forward.on_open is not None:
            forward.on_open(endpoint)
        if self._held:
            self.relay(to_server=self._held, drained=self._drained)
            return
        self.trickle(self._drained)
        sweep = self._front.sweep
        if self.last + self.idle_timeout <= sweep.next:
            sweep.joined(self)

    def _failed(self, failures: list[tuple[Endpoint, str]]) -> None:
        """Refuse a client for whom no endpoint could be reached."""
        label = self._forward.label
        if self._forward.gate is not None:
            self._forward.gate.cancel()
        if failures:
            tried = "; ".join(f"{endpoint}: {reason}" for endpoint, reason in failures)
            refuse = Refuse("connect", f"no endpoint of {label or 'it'} accepts: {tried}")
        else:
            refuse = Refuse("no-endpoint", f"{label or 'it'} has no endpoint")
        self._refuse(refuse)

    def _turned_away(self, reason: str) -> None:
        self._refuse(Refuse(STEP, f"{self._forward.label}: {reason}"))

    def _refuse(self, refuse: Refuse) -> None:
        self._dial = None
        front = self._front
        front.parts.discard(self)
        front.refuse(self.client, self.arrival, front.refused(refuse), self._forward.label)

    def _on_event(self, mask: int) -> None:
        """Note what the client does while an endpoint is being connected to."""
        if mask & READ:
            self._drained = False
        if mask & BROKEN or (mask & GONE and self._waits):
            self._abandon("client-reset")

    def _abandon(self, how: str) -> None:
        """Leave a connection that ended before an endpoint was reached."""
        front = self._front
        if self._dial is not None:
            self._dial.cancel()
            self._dial = None
        if self._forward.gate is not None:
            self._forward.gate.cancel()
        front.plane.abort(self.client)
        front.ended(self, Uncarried(self.arrival, how, self._forward.label))
