"""The two-way copy between a client and an endpoint."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from podway_proxy.plane.flow import Flow, Outcome
from podway_proxy.plane.parting import Reset
from podway_proxy.plane.plane import BROKEN, READ, READING, WRITE

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane


class Ended(NamedTuple):
    """How a relay ended and what it moved."""

    how: str
    """`done`: both sides closed; `client-reset`, `server-reset`; `idle`: no byte for the idle
    time-out; `half-closed`: one side closed and no byte for the fin time-out; `stopped`."""
    to_server: int
    """Bytes taken from the client, those that were handed in included."""
    to_client: int
    """Bytes taken from the server, those that were handed in included."""


def told(_ended: Ended) -> None:
    """Stand in for the owner's callback once it was called, so that nothing keeps it alive."""


class Relay:
    """Two flows, one each way. Takes over both sockets and closes them.

    `to_server` and `to_client` are sent first. Half-close carries over after what was read before
    it; a reset carries over as a reset. `on_done(ended)` is called exactly once, possibly before
    the constructor returns. `drained` says that the client's socket was read empty (a short read)
    since the last edge that told of its end: it saves the first read. So does `reads` for a
    connection whose edges were dealt with up to now: the one socket that may have more; `half` is
    the one of which the end is known and carried over.
    """

    __slots__ = ("_extra", "_idle", "_look", "_on_done", "_plane", "down", "over", "up")

    flow: ClassVar[type[Flow]] = Flow

    def __init__(
        self,
        plane: Plane,
        client: socket.socket,
        server: socket.socket,
        *,
        to_server: bytes = b"",
        to_client: bytes = b"",
        idle_timeout: float,
        on_done: Callable[[Ended], None],
        drained: bool = False,
        reads: socket.socket | None = None,
        half: socket.socket | None = None,
    ) -> None:
        self._plane = plane
        self._idle = idle_timeout
        self._on_done = on_done
        self._extra = (len(to_server), len(to_client))
        self.over = False
        """Both sockets are closed, or about to be."""
        self.up = self.flow(plane, client, server, self._on_end, tail=to_server)
        self.down = self.flow(plane, server, client, self._on_end, tail=to_client)
        self._look = min(idle_timeout, plane.limits.fin_timeout)
        """Seconds between two looks: so a half-close need not file a deadline of its own."""
        plane.deadline(self, plane.now + self._look)
        # Where the descriptor was not watched before, its first edge is still to come.
        read_client = plane.watch(client.fileno(), self._on_client, READING) and not drained
        read_server = plane.watch(server.fileno(), self._on_server, READING)
        if reads is not None:
            read_client, read_server = reads is client, reads is server
        if half is not None:
            (self.up if half is client else self.down).outcome = Outcome.EOF
        self.up.readable = self.up.hup = read_client
        self.down.readable = self.down.hup = read_server
        if to_server or read_client:
            self.up.run()
        if to_client or read_server:
            self.down.run()

    def stop(self) -> None:
        """Cut the connection, with RST both ways."""
        if not self.over:
            self._finish("stopped", self.up.source, self.down.source)

    def on_deadline(self) -> None:
        """End what has been quiet for too long, else look again when it could have been."""
        plane = self._plane
        half = self.up.outcome is not None or self.down.outcome is not None
        limit = plane.limits.fin_timeout if half else self._idle
        until = max(self.up.last, self.down.last) + limit
        if until > plane.now:
            plane.deadline(self, min(until, plane.now + self._look))
        else:
            how = "half-closed" if half else "idle"
            self._finish(how, self.up.source, self.down.source)

    def _on_client(self, mask: int) -> None:
        if mask & READ:
            if self.up.outcome is None:
                self.up.on_readable(mask)
            elif mask & BROKEN:
                self._finish("client-reset", self.up.source, self.down.source)
        if mask & WRITE and not self.down.writable:
            self.down.on_writable()

    def _on_server(self, mask: int) -> None:
        if mask & READ:
            if self.down.outcome is None:
                self.down.on_readable(mask)
            elif mask & BROKEN:
                self._finish("server-reset", self.up.source, self.down.source)
        if mask & WRITE and not self.up.writable:
            self.up.on_writable()

    def _on_end(self, flow: Flow) -> None:
        """Carry the end of one direction over to the other socket."""
        from_client = flow is self.up
        if flow.outcome is Outcome.EOF:
            flow.last = self._plane.now
            if (self.down if from_client else self.up).outcome is None:
                self._half_close(flow.sink)
            else:
                self._finish("done")
                self._plane.close(flow.source)
                self._plane.close(flow.sink)
        elif flow.outcome is Outcome.SOURCE:
            self._finish("client-reset" if from_client else "server-reset", flow.source)
            Reset(self._plane, flow.sink)
        else:
            how = "server-reset" if from_client else "client-reset"
            self._finish(how, flow.source, flow.sink)

    def _half_close(self, sink: socket.socket) -> None:
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return  # already reset: the flow back will be told so

    def _finish(self, how: str, *aborted: socket.socket) -> None:
        """End both flows, reset the sockets given, and tell the owner."""
        if self.over:
            return
        self.over = True
        plane, up, down = self._plane, self.up, self.down
        plane.deadline(self, math.inf)
        for sock in aborted:
            plane.abort(sock)
        if up.outcome is None:
            up.stop()
        if down.outcome is None:
            down.stop()
        tally = plane.tally
        tally.row[tally.relayed] += 1
        to_server, to_client = self._extra
        on_done, self._on_done = self._on_done, told
        on_done(Ended(how, to_server + up.moved, to_client + down.moved))
