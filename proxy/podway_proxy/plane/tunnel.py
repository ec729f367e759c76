"""One client's connection after the decision: dial, then relay."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from podway_proxy.gate import STEP
from podway_proxy.plane.dial import NOBODY, Dial
from podway_proxy.plane.flow import FILL
from podway_proxy.plane.plane import BROKEN, GONE, READ
from podway_proxy.plane.relay import Ended, Relay
from podway_proxy.values import Arrival, Endpoint, Forward, Refuse

if TYPE_CHECKING:
    from podway_proxy.plane.front import TcpFront


class Closed(NamedTuple):
    """How a client's connection ended: what logs and counters need."""

    arrival: Arrival
    how: str
    """As `Ended.how`; `client-reset` also before a relay was there; `refused`."""
    endpoint: Endpoint | None = None
    label: str = ""
    to_server: int = 0
    """Bytes from the client that were taken for the endpoint."""
    to_client: int = 0
    refused: Refuse | None = None


class Tunnel:
    """A connection of a `TcpFront` on its way to an endpoint: `carry` once, then it ends itself."""

    __slots__ = (
        "_arrival",
        "_dial",
        "_drained",
        "_endpoint",
        "_forward",
        "_front",
        "_held",
        "_relay",
        "_sock",
        "_taken",
        "_waits",
    )

    def __init__(
        self, front: TcpFront[Any], sock: socket.socket, arrival: Arrival, forward: Forward
    ) -> None:
        self._front = front
        self._sock = sock
        self._arrival = arrival
        self._forward = forward
        self._endpoint = NOBODY
        self._dial: Dial | None = None
        self._relay: Relay | None = None
        self._held = b""
        """Bytes that the endpoint gets as soon as it is connected."""
        self._taken = 0
        """Bytes of the client that went ahead of the relay."""
        self._drained = False
        """The socket was read empty, and no edge came since."""
        self._waits = False
        """Until an endpoint has room."""
        front.parts.add(self)

    def carry(self, skip: int, gone: bool) -> None:
        """Read the client's first bytes, less `skip` that are dealt with, and dial.

        `gone`: an edge told that no more will come, so the read can't tell that it was all.
        """
        plane = self._front.plane
        try:
            got = self._sock.recv_into(plane.buffer, FILL)
        except BlockingIOError:
            got = 0
            self._drained = True
        except OSError:
            self._abandon("client-reset")
            return
        if 0 < got < FILL:
            self._drained = not gone
        self._connect(bytes(plane.view[skip:got]))

    def stop(self) -> None:
        """Cut the connection."""
        if self._relay is not None:
            self._relay.stop()
        else:
            self._abandon("stopped")

    def _connect(self, data: bytes) -> None:
        """Dial, with the client's first bytes behind the prefix unless a greeting comes first."""
        front, forward = self._front, self._forward
        self._taken = len(data)
        if forward.greeting:
            self._held, data = data, forward.greeting
        if forward.gate is None:
            self._try(forward.candidates, data)
            return
        go = partial(self._admitted, data)
        candidates = forward.gate.enter(iter(forward.candidates), go, self._turned_away)
        if candidates is not None:
            self._try(candidates, data)
            return
        self._waits = True
        front.plane.watch(self._sock.fileno(), self._on_event)

    def _admitted(self, data: bytes, candidates: Iterator[Endpoint]) -> None:
        self._waits = False
        self._try(candidates, data)

    def _try(self, candidates: Iterable[Endpoint], data: bytes) -> None:
        front, forward = self._front, self._forward
        dial = Dial(
            front.plane,
            candidates,
            self._connected,
            self._failed,
            forward.connect_timeout,
            front.source,
            forward.on_failure,
            first=forward.prefix + data,
            answer=forward.greeting_answer,
            on_rest=self._hold,
        )
        if not dial.over:
            self._dial = dial
            front.plane.watch(self._sock.fileno(), self._on_event)

    def _hold(self, rest: bytes) -> None:
        """Keep what the endpoint has not yet taken of the first bytes."""
        self._held = rest + self._held

    def _connected(self, server: socket.socket, endpoint: Endpoint) -> None:
        forward = self._forward
        self._dial = None
        self._endpoint = endpoint
        if forward.on_open is not None:
            forward.on_open(endpoint)
        held, self._held = self._held, b""
        relay = Relay(
            self._front.plane,
            self._sock,
            server,
            to_server=held,
            idle_timeout=forward.idle_timeout,
            on_done=self._done,
            drained=self._drained,
        )
        if not relay.over:
            self._relay = relay

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
        front.refuse(self._sock, self._arrival, front.refused(refuse), self._forward.label)

    def _done(self, ended: Ended) -> None:
        """Note how the relay ended."""
        forward, endpoint = self._forward, self._endpoint
        if forward.on_close is not None:
            forward.on_close(endpoint)
        self._relay = None
        front = self._front
        front.parts.discard(self)
        if front.wants_notes:
            taken = self._taken + ended.to_server
            front.note(
                Closed(self._arrival, ended.how, endpoint, forward.label, taken, ended.to_client)
            )

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
        front.plane.abort(self._sock)
        front.ended(self, Closed(self._arrival, how, label=self._forward.label))
