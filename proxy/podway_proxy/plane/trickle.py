"""The two-way copy of what comes in small parts: requests and answers of most connections."""

from __future__ import annotations

import math
import select
import socket
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from podway_proxy.plane.flow import FILL, MORE
from podway_proxy.plane.parting import Reset
from podway_proxy.plane.plane import BROKEN, FIN, READING, URGENT
from podway_proxy.plane.relay import Ended, Relay

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane

TROUBLE: Final = BROKEN | URGENT
"""A mask with one of these needs more than one read."""
BYTES: Final = select.EPOLLIN
"""A mask that is just this: some bytes, and no end yet."""
HANGUP: Final = select.EPOLLHUP
END: Final = FIN | HANGUP
UNREAD: Final = -1
WRITING: Final = int(socket.SHUT_WR)


class Trickle(ABC):
    """A relay in one object and, for most edges, one call: reads that one send can take.

    Whatever is more than that is left to a `Relay`, which gets what could not be sent. Until then
    nothing is kept here, no edge is missed, and all happens as a `Relay` would have it; a test
    holds the two against each other. `trickle` begins, `finished` is called once at the end, when
    `how`, `to_server` and `to_client` stand as in `Ended`; `until` is for a `Sweep`.
    """

    __slots__ = (
        "_half",
        "_relay",
        "client",
        "filed",
        "how",
        "idle_timeout",
        "last",
        "plane",
        "server",
        "to_client",
        "to_server",
    )

    plane: Plane
    client: socket.socket
    server: socket.socket
    idle_timeout: float
    how: str
    """Empty while the connection lasts."""
    to_server: int
    to_client: int
    last: float
    """When a byte or a FIN last came; inf while something else sees to that."""
    filed: bool
    """As in `Swept`."""
    _half: socket.socket | None
    """The socket whose peer has ended, which was carried over to the other one."""
    _relay: Relay | None
    """What has taken over."""

    @abstractmethod
    def finished(self) -> None:
        """Note that the connection has ended."""

    def trickle(self, drained: bool) -> None:
        """Begin to copy; `drained`: the client's socket was read empty, and no edge came since."""
        plane, client, server = self.plane, self.client.fileno(), self.server.fileno()
        self.last = plane.now
        if plane.watch(client, self._on_client, READING) and not drained:
            plane.renew(client)
        if plane.watch(server, self._on_server, READING):
            plane.renew(server)

    @property
    def until(self) -> float:
        """When the connection will have been quiet for too long."""
        half = self._half is not None
        return self.last + (self.plane.limits.fin_timeout if half else self.idle_timeout)

    def cut(self, how: str) -> None:
        """End the connection, with RST both ways."""
        self.plane.abort(self.client)
        self.plane.abort(self.server)
        self._finish(how)

    # Nearly every edge tells of some bytes and of nothing else: the two callbacks deal with that by
    # themselves. One method for both would cost 0.2 of the 2 us that such an edge takes.

    def _on_client(self, mask: int) -> None:
        if mask != BYTES:
            self._copy(self.client, self.server, mask)
            return
        plane, got = self.plane, UNREAD
        try:
            got = self.client.recv_into(plane.buffer, FILL)
            sent = self.server.send(plane.view[:got])
        except BlockingIOError:
            sent = 0  # which of the two calls it was, `got` tells
        except OSError:
            self._lost(self.client, self.server, got)
            return
        if 0 < got == sent < FILL:
            self.to_server += got
            self.last = plane.now
        else:
            self._unlike(self.client, self.server, got, sent)

    def _on_server(self, mask: int) -> None:
        if mask != BYTES:
            self._copy(self.server, self.client, mask)
            return
        plane, got = self.plane, UNREAD
        try:
            got = self.server.recv_into(plane.buffer, FILL)
            sent = self.client.send(plane.view[:got])
        except BlockingIOError:
            sent = 0  # which of the two calls it was, `got` tells
        except OSError:
            self._lost(self.server, self.client, got)
            return
        if 0 < got == sent < FILL:
            self.to_client += got
            self.last = plane.now
        else:
            self._unlike(self.server, self.client, got, sent)

    def _copy(self, source: socket.socket, sink: socket.socket, mask: int) -> None:
        """Read once and send that; see `Flow` for why the masks mean what they mean."""
        if mask & TROUBLE:
            self._in_trouble(source, mask)
            return
        plane = self.plane
        try:
            got = source.recv_into(plane.buffer, FILL)
        except BlockingIOError:
            return
        except OSError:
            self._broken(source, sink)
            return
        if not got:
            self._ended(source, sink)
            return
        # Before a FIN that is known: the last bytes and our own FIN go in one segment.
        ends = mask & END == FIN and got < FILL
        try:
            sent = sink.send(plane.view[:got], MORE if ends else 0)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lost(source, sink, got)
            return
        self._count(source, got)
        if sent < got or got == FILL or mask & HANGUP:
            self._widen(source, bytes(plane.view[sent:got]))
        elif ends:
            self._ended(source, sink)

    def _unlike(self, source: socket.socket, sink: socket.socket, got: int, sent: int) -> None:
        """Deal with a read of none, or one that a send did not carry on or that was not all."""
        if got > 0:
            self._count(source, got)
            self._widen(source, bytes(self.plane.view[sent:got]))
        elif got == 0:
            self._ended(source, sink)

    def _lost(self, source: socket.socket, sink: socket.socket, got: int) -> None:
        """Deal with a read that failed, or the send of what was read."""
        if got > 0:
            self._count(source, got)
            self.cut(self._reset_of(sink))
        elif got == 0:
            self._ended(source, sink)
        else:
            self._broken(source, sink)

    def _count(self, source: socket.socket, got: int) -> None:
        self.last = self.plane.now
        if source is self.client:
            self.to_server += got
        else:
            self.to_client += got

    def _ended(self, source: socket.socket, sink: socket.socket) -> None:
        """Carry over that `source` has ended; close both when the other one has, too."""
        half = self._half
        if half is None:
            self._half = source
            self.last = self.plane.now
            self._half_close(sink)
        elif half is not source:
            self.plane.close(source)
            self.plane.close(sink)
            self._finish("done")

    def _half_close(self, sink: socket.socket) -> None:
        try:
            sink.shutdown(WRITING)
        except OSError:
            return  # already reset: its own edge will tell

    def _broken(self, source: socket.socket, sink: socket.socket) -> None:
        """Carry over that the peer of `source` has reset the connection."""
        self.plane.abort(source)
        Reset(self.plane, sink)
        self._finish(self._reset_of(source))

    def _in_trouble(self, source: socket.socket, mask: int) -> None:
        if source is not self._half:
            self._widen(source, b"")
        elif mask & BROKEN:
            self.cut(self._reset_of(source))

    def _reset_of(self, sock: socket.socket) -> str:
        return "client-reset" if sock is self.client else "server-reset"

    def _finish(self, how: str) -> None:
        self.how = how
        tally = self.plane.tally
        tally.row[tally.relayed] += 1
        self.finished()

    def _widen(self, source: socket.socket, rest: bytes) -> None:
        """Leave the connection to a relay, which reads on from `source` after it sent the rest."""
        if source is self.client:
            self.relay(to_server=rest, reads=source)
        else:
            self.relay(to_client=rest, reads=source)

    def relay(
        self,
        *,
        to_server: bytes = b"",
        to_client: bytes = b"",
        drained: bool = False,
        reads: socket.socket | None = None,
    ) -> None:
        """Leave the connection to a relay; what it is given to send counts as taken already."""
        self.last = math.inf
        self.to_server -= len(to_server)
        self.to_client -= len(to_client)
        relay = Relay(
            self.plane,
            self.client,
            self.server,
            to_server=to_server,
            to_client=to_client,
            idle_timeout=self.idle_timeout,
            on_done=self._relayed,
            drained=drained,
            reads=reads,
            half=self._half,
        )
        if not relay.over:
            self._relay = relay

    def _relayed(self, ended: Ended) -> None:
        self._relay = None
        self.how = ended.how
        self.to_server += ended.to_server
        self.to_client += ended.to_client
        self.finished()
