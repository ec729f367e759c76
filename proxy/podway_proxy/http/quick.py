"""The fast lane: the usual request and its usual answer in as few steps as can be.

Usual is a request whose head comes whole in one read with nothing behind it, that one strict
expression matches, with one Host that has a lane and at most a usual Connection besides, for which
a kept connection is there; and an answer that comes whole in one read, has one Content-Length and
is taken whole by the client. It is the same work as the general way's (`client`, `exchange`), in
the same order, on the same bytes. What turns out to be unusual becomes an exchange of the general
kind, as if it had been one from its start (`_leave`): tests/live/test_http_lane.py shows that
nobody can tell.

The hot methods are long on purpose: a call costs 0.1 us, and the whole lane takes ten.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from fcntl import ioctl
from select import EPOLLIN
from termios import FIONREAD
from typing import TYPE_CHECKING, Final

from podway_proxy.http.client import READ_BYTES, Client
from podway_proxy.http.exchange import READ_BYTES as ANSWER_BYTES
from podway_proxy.http.forwarded import ending
from podway_proxy.http.head import common_of, read_head
from podway_proxy.http.hop import outgoing
from podway_proxy.http.refuse import FIELDS, Notable, Refusal, common, scan
from podway_proxy.http.request import IDEMPOTENT, Request
from podway_proxy.http.response import BODILESS
from podway_proxy.http.response import common as common_answer
from podway_proxy.plane.plane import BROKEN, GONE, READ, URGENT

if TYPE_CHECKING:
    from podway_proxy.http.endpoint import EndpointConnection
    from podway_proxy.http.exchange import Exchange
    from podway_proxy.http.front import HttpFront
    from podway_proxy.http.lane import Lane
    from podway_proxy.http.shapes import Shape
    from podway_proxy.values import Address, Endpoint

_ODD: Final = GONE | URGENT
_TWICE: Final = IDEMPOTENT - {b"HEAD"}
"""Methods that may be sent twice, and whose answer has the body that its fields tell of."""
_CLOSE: Final = b"\r\nConnection: close\r\n"
_CUTS: Final = {b"close": _CLOSE, b"keep-alive": b"\r\nConnection: keep-alive\r\n"}
"""The usual Connections by their values, as usually spelt."""
NOTHING: Final = bytes(4)
"""What FIONREAD says of a socket without bytes to read (tcp(7), SIOCINQ)."""
_ZERO: Final = ord("0")
_UNHEARD: Final = frozenset(b"%d" % status for status in BODILESS)


class QuickClient(Client):
    """A client whose usual requests take the fast lane."""

    __slots__ = ("_asked", "_head", "_lane", "_ready", "_shape", "_tail", "_watched", "_who")

    def __init__(self, front: HttpFront, sock: socket.socket, peer: Address) -> None:
        self._asked: EndpointConnection | None = None
        """The connection that carries a request on the lane; None: there is no such request."""
        self._head = b""
        """That request's head."""
        self._lane: Lane | None = None
        """The lane that was taken last."""
        self._tail = b""
        """What this client's requests on that lane end in on their way: the forwarded fields."""
        self._shape: Shape | None = None
        """What its requests looked like lately."""
        self._ready = False
        """Nothing is under way and nothing is buffered: the next edge may bring a request."""
        self._watched = False
        """Edges are told of."""
        self._who = ""
        """The client's address, for the lane."""
        super().__init__(front, sock, peer)

    # ---- the request ------------------------------------------------------------------------

    def _on_event(self, mask: int) -> None:
        if not self._ready or mask & _ODD or not mask & READ:
            self._on_unusual(mask)
            return
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            self._watch()
            return
        except OSError:
            data = b""
        self._ready = False
        lanes = self._front.lanes
        shape = self._shape or lanes.requests.recent
        match = None if shape is None else shape.match(data)
        request = None
        if shape is None or match is None:
            lane, cut, request = self._discern(data)
        else:
            lane, cut = lanes.by_host.get(match[1]), shape.cut
        if (
            lane is None
            or len(data) > lane.most
            or (lane is not self._lane and not self._enter(lane))
            or (
                endpoint := lane.first(self._who)
                if lane.usual is None
                else lane.usual.first(data, self._who)
            )
            is None
        ):
            self._go_on(data, request)
            return
        self._forward(lane, data, cut, endpoint)

    def _forward(self, lane: Lane, data: bytes, cut: bytes, endpoint: Endpoint) -> None:
        """Send a usual request, whose Connection line is `cut`."""
        if cut:
            self.closing = cut is _CLOSE
            out = data[:-2].replace(cut, b"\r\n", 1) + self._tail
        else:
            out = data[:-2] + self._tail
        if lane.usual is not None:
            out = lane.usual.leaving(out)
        self._head = data
        self.began = now = self._plane.now
        self.due = now + lane.patience if self._watched else now
        kept = self._front.pool.take(endpoint)
        if kept is None:
            self._leave(endpoint).connect(endpoint)
            return
        self._asked = kept
        kept.user = self
        kept.endpoint = endpoint  # another Route may know the address by another name
        if lane.on_open is not None:
            lane.on_open(endpoint)
        try:
            sent = kept.sock.send(out)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._leave(endpoint).unsent(error)
            return
        if sent != len(out):
            self._leave(endpoint).sent_in_part(kept, sent)

    # ---- the answer -------------------------------------------------------------------------

    def on_endpoint(self, mask: int) -> None:  # noqa: C901 - as above
        """Take an edge of the connection that carries a request on the lane."""
        kept, lane = self._asked, self._lane
        if kept is None or lane is None or not mask & READ:
            return
        if kept.gone:
            self._leave(kept.endpoint).on_endpoint(mask)
            return
        try:
            data = kept.sock.recv(ANSWER_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._leave(kept.endpoint).lost(error.strerror or "reset")
            return
        match = (lane.shape and lane.shape.match(data)) or self._discern_answer(lane, data)
        if match is None:
            self._leave(kept.endpoint).hear_on(kept, data)
            return
        status, length, line = match.groups()
        if len(data) - match.end() != int(length) or status in _UNHEARD:
            self._leave(kept.endpoint).hear_on(kept, data)
            return
        out = data if line is None else data[: match.start(3)] + data[match.end(3) :]
        if self.closing:
            out = _closed(data, match)
        if lane.usual is not None:
            end = len(out) - int(length)
            out = lane.usual.coming(self._head, kept.endpoint, int(status), out, end)
        try:
            sent = self.sock.send(out)
        except OSError:
            sent = 0  # full, or gone: the general way meets the same and deals with it
        if sent != len(out):
            self._leave(kept.endpoint).hear_part(kept, data, out, sent)
            return
        self._asked, self._head = None, b""
        if lane.on_close is not None:
            lane.on_close(kept.endpoint)
        front, kind = self._front, data[9] - _ZERO
        front.pool.put(kept)
        front.row[front.by_class[kind]] += 1
        lane.counts[kind] += 1
        self.due = self._plane.now + front.limits.keepalive_timeout
        if self.closing or self.readable:
            self._finish()
        else:
            self._ready = True
            if not self._watched:
                self._watch()

    # ---- where the lane ends ----------------------------------------------------------------

    @property
    def served(self) -> bool:
        """A request has come on this connection before."""
        return self._lane is not None or super().served

    def finished(self) -> None:
        """Go on to the next request, which may be a usual one, or end."""
        super().finished()
        self._ready = not (self.over or self.buffer or self.readable or self._exchange.active)

    def expire(self) -> None:
        """Act on a deadline that is over (called by the front's sweep)."""
        lane = self._lane
        if self._asked is not None and lane is not None and not self._watched:
            self.due = self.began + lane.patience
            self._watch()
            return
        self.unhurry()
        super().expire()

    def stop(self) -> None:
        """Cut the connection, whatever is under way."""
        self.unhurry()
        super().stop()

    def unhurry(self) -> None:
        """Have a request that is on the lane go on the general way."""
        if self._asked is not None:
            self._leave(self._asked.endpoint)

    def _on_unusual(self, mask: int) -> None:
        """Take any edge: a request is under way, or what came is not a whole head alone."""
        if self._asked is not None and mask & BROKEN:
            self.unhurry()
        if self._asked is None:
            self._ready = self._ready and not mask & READ
            super()._on_event(mask)
        elif mask & READ:
            self.readable = True
            self.gone = self.gone or bool(mask & GONE)

    def _enter(self, lane: Lane) -> bool:
        """Take to a lane; False if it is not this connection's."""
        front, arrival = self._front, self._arrival
        if arrival is None and front.port:
            self._who, port = self._peer[0], front.port
        else:
            arrival = self.arrival
            settled = front.settled
            if arrival is None or settled is None:
                return False
            if arrival.tls is not None and not settled(lane.host, arrival):
                return False
            self._who, port = arrival.client[0], arrival.local[1]
        self._lane = lane
        self._tail = ending(self._who, port, lane.named, lane.target.proto)
        return True

    def begin(self) -> None:
        """Read what came before the first edge: with the connection, or with its handshake.

        A usual request's way may well be over before anything else is to be told of the client:
        it is watched when it turns out otherwise, and at the front's next sweep.
        """
        self._ready = self._front.takes_proxy is None
        if self._ready:
            self._on_event(EPOLLIN)
        else:
            self._watch()

    def _watch(self) -> None:
        """Be told from now on of what the client does, and of what it did since it came."""
        if not (self._watched or self.over):
            self._watched = True
            self._plane.watch(self.sock.fileno(), self._on_event)

    def _unread(self) -> bool:
        """Ask whether the client has sent more."""
        return ioctl(self.sock.fileno(), FIONREAD, NOTHING) != NOTHING

    def _discern(self, data: bytes) -> tuple[Lane | None, bytes, Request | None]:
        """Give the lane for a head of any shape and its Connection line.

        Without a lane: the request, where it could be told as cheaply.
        """
        match = common(data)
        if match is None:
            return None, b"", None
        found = scan(data.lower())
        lanes = self._front.lanes
        lane, cut = _lane_of(found, lanes.by_host)
        method = match[1]
        if lane is None or method not in _TWICE or lane.line not in data or cut not in data:
            return None, b"", common_of(data, match, found)
        if method == b"GET":
            self._shape = lanes.requests.find(data, cut) or self._shape
        return lane, cut, None

    def _discern_answer(self, lane: Lane, data: bytes) -> re.Match[bytes] | None:
        """Match an answer of any shape."""
        match = common_answer(data)
        if match is not None:
            lane.shape = self._front.lanes.answers.find(data[: match.end()]) or lane.shape
        return match

    def _go_on(self, data: bytes, request: Request | None) -> None:
        """Take what was read on the general way; `request` where it is that alone."""
        self._watch()
        limits, arrival = self._front.limits, self.arrival
        long = len(data) > limits.head_bytes or limits.head_fields < FIELDS
        if request is None or arrival is None or long:
            self._hear(data)
        else:
            self.readable = len(data) == READ_BYTES
            self._route(request, arrival, data, len(data))
        self._read()

    def _finish(self) -> None:
        """End after the last answer, or go on to what the client sent ahead."""
        if not self.closing:
            self._read()
        elif self.readable or (not self._watched and self._unread()):
            self._part(b"")
        else:
            self._close()

    def _leave(self, endpoint: Endpoint) -> Exchange:
        """Make the request on the lane one of the general kind, as if it had been from its start.

        `endpoint` was chosen for it.
        """
        if not self._watched:
            self._watch()
            self.readable = self._unread()
        kept, self._asked = self._asked, None
        head, self._head = self._head, b""
        request = read_head(head)
        lane, arrival = self._lane, self.arrival
        if lane is None or arrival is None or isinstance(request, Refusal):
            raise AssertionError("no request is on the lane")
        self.request = request
        client, first = arrival.client[0], outgoing(request, self._tail[:-2])
        if lane.usual is None:
            others = lane.others(endpoint, client)
        else:
            others = lane.usual.others(head, endpoint, client)
            first = lane.usual.leaving(first)
        exchange = self._carrier()
        exchange.prepare(request, lane.target, others, first)
        if kept is not None:
            exchange.resume(kept, self.began)
        return exchange


def _lane_of(found: Notable, by_host: Mapping[bytes, Lane]) -> tuple[Lane | None, bytes]:
    """Give the lane of a head with these notable fields, and its Connection line.

    There is none but for one Host and at most one usual Connection.
    """
    if len(found) == 1:
        return by_host.get(found[0][1]), b""
    if len(found) != 2:
        return None, b""
    one, two = found
    connection, host = (two, one) if one[0] == b"host" else (one, two)
    cut = _CUTS.get(connection[1]) if connection[0] == b"connection" else None
    return (None, b"") if cut is None else (by_host.get(host[1]), cut)


def _closed(data: bytes, match: re.Match[bytes]) -> bytes:
    """Give a whole answer with `Connection: close`, in the place of a Connection of its own."""
    start, stop = match.span(3)
    if start >= 0:
        return data[:start] + b"Connection: close\r\n" + data[stop:]
    end = match.end()
    return data[: end - 2] + b"Connection: close\r\n\r\n" + data[end:]
