"""The two-way copy between a client and an endpoint."""

from __future__ import annotations

import contextlib
import math
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.plane.flow import Flow, Outcome
from podway_proxy.plane.parting import Reset
from podway_proxy.plane.plane import BROKEN, READ, WRITE

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


class Relay:
    """Two flows, one each way. Takes over both sockets and closes them.

    `to_server` and `to_client` are sent first. Half-close carries over after what was read before
    it; a reset carries over as a reset. `on_done(ended)` is called exactly once, possibly before
    the constructor returns. `drained` says that the client's socket was read empty (a short read)
    since the last edge that told of its end: it saves the first read.
    """

    __slots__ = ("_extra", "_idle", "_on_done", "_plane", "down", "over", "up")

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
    ) -> None:
        self._plane = plane
        self._idle = idle_timeout
        self._on_done = on_done
        self._extra = (len(to_server), len(to_client))
        self.over = False
        """Both sockets are closed, or about to be."""
        self.up = Flow(plane, client, server, self._on_end, tail=to_server)
        self.down = Flow(plane, server, client, self._on_end, tail=to_client)
        plane.deadline(self, plane.now + idle_timeout)
        # Where the descriptor was not watched before, its first edge is still to come.
        read_client = plane.watch(client.fileno(), self._on_client) and not drained
        read_server = plane.watch(server.fileno(), self._on_server)
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
        half = self.up.outcome is not None or self.down.outcome is not None
        limit = self._plane.limits.fin_timeout if half else self._idle
        until = max(self.up.last, self.down.last) + limit
        if until > self._plane.now:
            self._plane.deadline(self, until)
        else:
            how = "half-closed" if half else "idle"
            self._finish(how, self.up.source, self.down.source)

    def _on_client(self, mask: int) -> None:
        if mask & READ:
            if self.up.outcome is None:
                self.up.on_readable(mask)
            elif mask & BROKEN:
                self._finish("client-reset", self.up.source, self.down.source)
        if mask & WRITE:
            self.down.on_writable()

    def _on_server(self, mask: int) -> None:
        if mask & READ:
            if self.down.outcome is None:
                self.down.on_readable(mask)
            elif mask & BROKEN:
                self._finish("server-reset", self.up.source, self.down.source)
        if mask & WRITE:
            self.up.on_writable()

    def _on_end(self, flow: Flow) -> None:
        """Carry the end of one direction over to the other socket."""
        if self.over:
            return
        from_client = flow is self.up
        if flow.outcome is Outcome.EOF:
            self._on_eof(flow, self.down if from_client else self.up)
        elif flow.outcome is Outcome.SOURCE:
            how = "client-reset" if from_client else "server-reset"
            self._finish(how, flow.source)
            Reset(self._plane, flow.sink)
        else:
            how = "server-reset" if from_client else "client-reset"
            self._finish(how, flow.source, flow.sink)

    def _on_eof(self, flow: Flow, other: Flow) -> None:
        if other.outcome is not None:
            self._finish("done")
            self._plane.close(flow.source)
            self._plane.close(flow.sink)
            return
        with contextlib.suppress(OSError):  # already reset: the flow back will be told so
            flow.sink.shutdown(socket.SHUT_WR)
        self._plane.deadline(self, self._plane.now + self._plane.limits.fin_timeout)

    def _finish(self, how: str, *aborted: socket.socket) -> None:
        """End both flows, reset the sockets given, and tell the owner."""
        if self.over:
            return
        self.over = True
        self._plane.deadline(self, math.inf)
        self.up.stop()
        self.down.stop()
        for sock in aborted:
            self._plane.abort(sock)
        tally = self._plane.tally
        tally.row[tally.relayed] += 1
        to_server, to_client = self._extra
        self._on_done(Ended(how, to_server + self.up.moved, to_client + self.down.moved))
