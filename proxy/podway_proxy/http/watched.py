"""An exchange that takes times and counts bytes: in use only while somebody logs requests.

It is the usual exchange with methods done over, so that the usual one pays nothing for this.
Interim answers are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from podway_proxy.http.access import Watched
from podway_proxy.http.asker import AnyFlow, Asker
from podway_proxy.http.chunked_flow import ChunkedFlow
from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.exchange import Exchange
from podway_proxy.http.framing import Chunked
from podway_proxy.http.pool import Pool
from podway_proxy.http.request import NO_BODY, Request
from podway_proxy.http.response import Response
from podway_proxy.http.target import Target
from podway_proxy.plane.dial import LATE
from podway_proxy.plane.flow import Outcome
from podway_proxy.plane.plane import Plane
from podway_proxy.plane.relay import Ended
from podway_proxy.values import Address, Endpoint

NEVER = -1.0
_FAULTS = {"body-timeout": "c", "server-timeout": "s"}
_TUNNELS = {"client-reset": "CD", "server-reset": "SD", "idle": "cD", "half-closed": "cD"}
"""How a relay ended -> HAProxy's termination state."""


class Notes:
    """What is noted of the request under way."""

    __slots__ = (
        "answered",
        "body",
        "chosen",
        "connected",
        "dialed",
        "failures",
        "fault",
        "head",
        "sent",
        "source",
        "started",
        "state",
    )

    def __init__(self) -> None:
        self.started = self.chosen = self.dialed = self.connected = self.answered = NEVER
        self.failures = 0
        self.body = self.sent = 0
        """Bytes: of the request's body; to the client."""
        self.head = b""
        self.source: Address | None = None
        self.fault = ""
        """Who is at fault, as HAProxy's letter, where that is known before it ends."""
        self.state = ""

    def wait(self) -> float:
        """Give how long the request waited for its turn (in a queue)."""
        return self.chosen - self.started if self.chosen >= 0 else NEVER

    def connect(self) -> float:
        """Give how long connecting took."""
        if self.dialed < 0:
            return 0.0 if self.chosen >= 0 else NEVER
        return self.connected - self.dialed if self.connected >= 0 else NEVER

    def response(self) -> float:
        """Give how long the endpoint took for its head."""
        if self.answered < 0:
            return NEVER
        return self.answered - (self.connected if self.connected >= 0 else self.chosen)


class WatchedExchange(Exchange):
    """See the module."""

    __slots__ = ("_came", "_head_at", "_notes")

    def __init__(self, asker: Asker, plane: Plane, pool: Pool, head_bytes: int) -> None:
        super().__init__(asker, plane, pool, head_bytes)
        self._came = plane.now
        self._head_at = NEVER
        self._notes = Notes()

    def hear(self) -> None:
        """Note that bytes of a head have come, but not all of it."""
        if self._head_at < 0:
            self._head_at = self._plane.now

    def seen(self, request: Request | None, began: float, page: int) -> Watched:
        """Give what was noted of a request that has ended, and begin anew.

        `began` is when its head was whole, `page` the size of an answer of our own.
        """
        notes, self._notes = self._notes, Notes()
        now = self._plane.now
        came, self._came = self._came, now
        first, self._head_at = self._head_at, NEVER
        head = 0 if request is None else len(request.head)
        return Watched(
            came,
            first if first >= 0 else began,
            began,
            now,
            notes.wait(),
            notes.connect(),
            notes.response(),
            head + notes.body,
            notes.sent + page,
            notes.failures,
            notes.head,
            notes.source,
            notes.state,
        )

    def tunnelled(self, ended: Ended) -> None:
        """Note how a tunnel ended and what went through it."""
        self._notes.body += ended.to_server
        self._notes.sent += ended.to_client
        self._notes.state = _TUNNELS.get(ended.how, "")

    # ---- the way there --------------------------------------------------------------------

    def prepare(
        self,
        request: Request,
        target: Target,
        candidates: Iterator[Endpoint],
        first: bytes,
        left: int = NO_BODY,
        follower: Chunked | None = None,
    ) -> None:
        """Note when, and what of the body is there."""
        notes = self._notes
        notes.started = self._plane.now
        notes.body = len(first) - first.find(b"\r\n\r\n") - 4
        super().prepare(request, target, candidates, first, left, follower)

    def _next(self) -> None:
        if self._notes.chosen < 0:
            self._notes.chosen = self._plane.now
        super()._next()

    def connect(self, endpoint: Endpoint) -> None:
        """Note when the first connection was begun."""
        if self._notes.dialed < 0:
            self._notes.dialed = self._plane.now
        super().connect(endpoint)

    def _use(self, connection: EndpointConnection) -> None:
        self._notes.connected = self._plane.now
        super()._use(connection)

    def _unreachable(self, failures: list[tuple[Endpoint, str]]) -> None:
        self._notes.failures += len(failures)
        if failures and failures[-1][1] == LATE:
            self._notes.state = "sC"
        super()._unreachable(failures)

    def _uploaded(self, flow: AnyFlow) -> None:
        self._notes.body += flow.moved
        if flow.outcome is Outcome.EOF:
            self._notes.fault, self._notes.state = "C", "CD"
        elif isinstance(flow, ChunkedFlow) and flow.error:
            self._notes.fault, self._notes.state = "P", "PD"
        super()._uploaded(flow)

    def _stop_upload(self) -> None:
        if self.upload is not None:
            self._notes.body += self.upload.moved
        super()._stop_upload()

    # ---- the answer -----------------------------------------------------------------------

    def _respond(
        self, connection: EndpointConnection, response: Response, data: bytes, end: int
    ) -> None:
        self._answer_came(data, end)
        super()._respond(connection, response, data, end)

    def _whole(self, response: Response, data: bytes, end: int) -> None:
        self._answer_came(data, end)
        super()._whole(response, data, end)

    def _compress(
        self, connection: EndpointConnection, response: Response, data: bytes, end: int
    ) -> None:
        self._answer_came(data, end)
        super()._compress(connection, response, data, end)

    def _answer_came(self, data: bytes, end: int) -> None:
        notes = self._notes
        if notes.answered < 0 and self.connection is not None:
            notes.answered = self._plane.now
            notes.head = data[:end]
            notes.source = self.connection.sock.getsockname()[:2]

    def deliver(self, out: bytes) -> None:
        """Count the bytes of an endpoint's answer; those of our own pages are known."""
        if self.response is not None:
            self._notes.sent += len(out)
        super().deliver(out)

    def _follow(self, download: AnyFlow) -> None:
        if download.source is not download.sink:
            self._notes.sent += download.pending
        super()._follow(download)

    def _downloaded(self, flow: AnyFlow) -> None:
        self._notes.sent += flow.moved
        super()._downloaded(flow)

    # ---- the end --------------------------------------------------------------------------

    def _fail(self, status: int, step: str, reason: str, detail: str = "") -> None:
        self._notes.fault = self._notes.fault or _FAULTS.get(step, "")
        super()._fail(status, step, reason, detail)

    def _expire_download(self) -> None:
        download = self.download
        self._notes.fault = "s" if download is not None and download.writable else "c"
        super()._expire_download()

    def _drop(self) -> None:
        if self.download is not None:
            self._notes.sent += self.download.moved
        super()._drop()

    def cut(self, reason: str) -> None:
        """Note that the answer stays incomplete."""
        self._notes.state = (self._notes.fault or "S") + "D"
        super().cut(reason)

    def abandon(self) -> None:
        """Note in which phase the client was lost."""
        self._notes.state = (self._notes.fault or "C") + self._phase()
        super().abandon()

    def _phase(self) -> str:
        if self.queued:
            return "Q"
        if self.upload is not None or self._notes.answered >= 0:
            return "D"
        return "H" if self.connection is not None else "C"
