"""One request and its answer, between a front end's client and an endpoint.

An exchange finds a connection (kept or new), sends the request's head and what is there of its
body, follows the rest of the body up and the answer down, and tells its client how it went. The
client's side is the `Asker`; which wire it speaks is its own affair.

Order of events: `start` → a connection → the request is sent → the answer's head → its body →
`asker.finished`. What fails before the answer's head was passed on becomes an answer of our own,
or another attempt where that is safe; after it, the client is cut off, so that it can't take a
part for the whole. `finding` and `sending` hold the request's half, this module the answer's.
"""

from __future__ import annotations

from typing import Final

from podway_proxy.http.asker import AnyFlow
from podway_proxy.http.chunked_flow import ChunkedFlow
from podway_proxy.http.compression import encoded
from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.framing import Chunked, ChunkError
from podway_proxy.http.request import CHUNKED, NO_BODY, UNTIL_CLOSE
from podway_proxy.http.response import SWITCHING, Response, ResponseError, read_response
from podway_proxy.http.sending import Sending
from podway_proxy.plane.copying import flow_between
from podway_proxy.plane.flow import Flow, Outcome
from podway_proxy.plane.plane import BROKEN, GONE, READ, WRITE

READ_BYTES = 65_536
"""Most bytes of an answer taken at once while its head is awaited."""
INTERIM = 16
"""Most 1xx answers to one request: each is passed on, none ends the wait."""


class Exchange(Sending):
    """See the module. One object serves the requests of a client's connection in turn."""

    __slots__ = ()

    def hear(self) -> None:
        """Learn that bytes of a head have come (`watched` notes when)."""

    # ---- edges ----------------------------------------------------------------------------

    def on_client(self, mask: int) -> None:
        """Take an edge of the client's socket."""
        if mask & BROKEN or (mask & GONE and self.queued):
            self.abandon()
            return
        if mask & READ and self.upload is not None:
            self.upload.on_readable(mask)
        if mask & WRITE and self.download is not None:
            self.download.on_writable()

    def on_endpoint(self, mask: int) -> None:
        """Take an edge of the endpoint's socket."""
        if self.upload is None and self.download is None:
            if mask & READ and self.response is None:
                self._read_answer()
            return
        connection = self.connection
        if mask & WRITE and self.upload is not None:
            self.upload.on_writable()
        if mask & READ and self.connection is connection:
            if self.download is not None:
                self.download.on_readable(mask)
            elif self.response is None:
                self._read_answer()

    # ---- the answer -----------------------------------------------------------------------

    def _read_answer(self) -> None:
        connection = self.connection
        while connection is not None and self.connection is connection:
            try:
                data = connection.sock.recv(READ_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self.lost(error.strerror or "reset")
                return
            if not self.heard(connection, data):
                return

    def hear_on(self, connection: EndpointConnection, data: bytes) -> None:
        """Go on where `data` was read of an answer, the first of it."""
        if self.heard(connection, data):
            self._read_answer()

    def hear_part(self, connection: EndpointConnection, data: bytes, out: bytes, sent: int) -> None:
        """Go on where a whole answer was read, and of its form for the client `out` was sent."""
        if not sent:
            self.hear_on(connection, data)
            return
        end = data.find(b"\r\n\r\n") + 4
        self.response = response = read_response(data[:end], self.request.method)
        self._release(response.keep_alive)
        self._deliver_rest(out[sent:])

    def heard(self, connection: EndpointConnection, data: bytes) -> bool:
        """Take what was read while the answer's head is awaited; True: read on at once."""
        if not data:
            self.lost("the endpoint closed the connection")
            return False
        drained = len(data) < READ_BYTES and not connection.gone
        return self._take(connection, self._heard + data if self._heard else data) and not drained

    def _take(self, connection: EndpointConnection, data: bytes) -> bool:
        """Take bytes that begin with an answer's head; True: more are needed."""
        while data:
            end = data.find(b"\r\n\r\n") + 4
            if (end if end > 3 else len(data)) > self._head_bytes:
                return self._bad("the answer's head is too long")
            if end < 4:
                break
            try:
                response = read_response(data[:end], self.request.method)
            except ResponseError as error:
                return self._bad(str(error))
            extras = self.target.extras
            if extras is not None and (asked := extras.compress) is not None:
                who = self.request, self._asker.arrival, response, connection.endpoint
                if asked(*who, data[:end]):
                    self._compress(connection, response, data, end)
                    return False
            if response.status >= 200 and len(data) == end + response.length:
                self.response = response
                self._whole(response, data, end)
                return False
            if response.status >= 200 or response.status == SWITCHING:
                self._respond(connection, response, data, end)
                return False
            self._interim += 1
            if self._interim > INTERIM:
                return self._bad("there are too many interim answers")
            self._pass_interim(response, data[:end])
            data = data[end:]
        self._heard = data
        return True

    def _pass_interim(self, response: Response, head: bytes) -> None:
        """Send a 1xx answer on; what the client does not take goes ahead of the final one."""
        self._since = self._plane.now
        if not self.request.modern:
            return
        self._ahead += self._asker.answer_head(response, head, len(head))
        try:
            sent = self._asker.sock.send(self._ahead)
        except OSError:
            return  # full, or gone: the final answer meets the same and deals with it
        self._ahead = self._ahead[sent:]

    def _respond(
        self, connection: EndpointConnection, response: Response, data: bytes, end: int
    ) -> None:
        """Pass on the final answer, whose head is `data[:end]`."""
        self.response = response
        if response.status == SWITCHING:
            self._switch(connection, response, data, end)
            return
        length = response.length
        if length >= 0:
            whole = end + length
            if len(data) >= whole:
                if len(data) > whole:
                    response.keep_alive = False  # nobody asked for what follows
                    data = data[:whole]
                self._whole(response, data, end)
                return
            length = whole - len(data)
        elif length == CHUNKED:
            self._respond_chunked(connection, response, data, end)
            return
        out = self._ahead + self._asker.answer_head(response, data, end)
        ends = connection.sock, self._asker.sock
        self._follow(flow_between(*ends)(self._plane, *ends, self._downloaded, length, out))

    def _respond_chunked(
        self, connection: EndpointConnection, response: Response, data: bytes, end: int
    ) -> None:
        unwrap = not self.request.modern
        follower = Chunked()
        content: list[bytes] | None = [] if unwrap else None
        try:
            stop = follower.feed(data, end, len(data), content)
        except ChunkError as error:
            self._bad(f"the answer's body is malformed: {error}")
            return
        if stop < len(data):
            response.keep_alive = False
        data = data[:end] + b"".join(content) if content is not None else data[:stop]
        if follower.done:
            self._whole(response, data, end)
            return
        out = self._ahead + self._asker.answer_head(response, data, end)
        ends = connection.sock, self._asker.sock
        self._follow(ChunkedFlow(self._plane, *ends, self._downloaded, follower, out, unwrap))

    def _compress(
        self, connection: EndpointConnection, response: Response, data: bytes, end: int
    ) -> None:
        """Pass the answer on compressed."""
        from podway_proxy.http.compressing import CompressingFlow, Encoder  # few routers need it

        self.response = response
        encoder = Encoder(response.length)
        try:
            out, stop = encoder.feed(data, end, len(data), paused=False)
        except ChunkError as error:
            self._bad(f"the answer's body is malformed: {error}")
            return
        if stop < len(data):
            response.keep_alive = False
        head = self._asker.answer_head(response, data[:end], end)
        out = self._ahead + encoded(head, response.length) + out
        if encoder.follower.done:
            self._release(response.keep_alive)
            self.deliver(out)
        else:
            ends = connection.sock, self._asker.sock
            self._follow(CompressingFlow(self._plane, *ends, self._downloaded, encoder, out))

    def _follow(self, download: AnyFlow) -> None:
        self._begun = True
        self.download = download
        download.run()
        if self.download is download:
            self._asker.flowing()

    def _whole(self, response: Response, data: bytes, end: int) -> None:
        """Pass on an answer that has come whole: the endpoint is free before the client reads."""
        out = self._asker.answer_head(response, data, end)
        if self._ahead:
            out = self._ahead + out
        connection = self.connection
        if self.sent and response.keep_alive and connection is not None and not connection.gone:
            self.connection = None
            if self.target.on_close is not None:
                self.target.on_close(connection.endpoint)
            self._pool.put(connection)
        else:
            self._release(response.keep_alive)
        self.deliver(out)

    def deliver(self, out: bytes) -> None:
        """Send bytes that end the exchange."""
        self._begun = self.active = True
        sock = self._asker.sock
        try:
            sent = sock.send(out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abandon()
            return
        if sent == len(out):
            self.active = False
            self._asker.finished()
        else:
            self._deliver_rest(out[sent:])

    def _deliver_rest(self, rest: bytes) -> None:
        sock = self._asker.sock
        self._follow(Flow(self._plane, sock, sock, self._downloaded, NO_BODY, rest))

    def _downloaded(self, flow: AnyFlow) -> None:
        self.download = None
        until_close = self.response is not None and self.response.length == UNTIL_CLOSE
        if flow.outcome is Outcome.SINK:
            self.abandon()
        elif flow.outcome is Outcome.LENGTH or (flow.outcome is Outcome.EOF and until_close):
            self._complete(flow)
        else:
            self.cut("the endpoint ended the connection in the middle of its answer")

    def _complete(self, flow: AnyFlow) -> None:
        connection = self.connection
        if connection is not None and self.response is not None:
            surplus = isinstance(flow, ChunkedFlow) and flow.surplus
            keep = self.response.keep_alive and not surplus
            self._release(keep and not connection.stale())
        self.active = False
        self._asker.finished()

    def _switch(
        self, connection: EndpointConnection, response: Response, data: bytes, end: int
    ) -> None:
        if self.request.upgrade is None:
            self._bad("the endpoint changes protocols, and nobody asked it to")
            return
        if (extras := self.target.extras) is not None:
            who = self.request, self._asker.arrival, response, connection.endpoint
            data, _ = extras.dress(*who, data, end)
        self.connection = None
        self.active = False
        self._asker.switch(connection, self._ahead + data)

    # ---- the end --------------------------------------------------------------------------

    def _release(self, keep: bool) -> None:
        """Let go of the endpoint's connection: kept for another request if it is in order."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        if self.target.on_close is not None:
            self.target.on_close(connection.endpoint)
        if not self.sent:
            self._stop_upload()
            connection.abort()
        elif keep and not connection.gone:
            self._pool.put(connection)
        else:
            connection.close()

    # ---- time -----------------------------------------------------------------------------

    def check(self, client_timeout: float) -> float:
        """End what has been still for too long; else say when that could be the case."""
        now = self._plane.now
        if self.dial is not None:
            return now + self.target.connect_timeout  # the dial has a deadline of its own
        until = self._still_since() + self._patience(client_timeout)
        if until > now:
            return until
        if self.download is not None:
            self._expire_download()
        elif self.upload is not None and self.upload.writable:
            self._fail(408, "body-timeout", f"no byte of the body came for {client_timeout:g} s")
        else:
            waited = f"{self.target.server_timeout:g} s"
            reason = f"the pod did not go on for {waited}"
            self._fail(504, "server-timeout", reason, str(self.endpoint))
        return now

    def _expire_download(self) -> None:
        if self.download is not None and self.download.writable:
            self.cut(f"the endpoint stopped for {self.target.server_timeout:g} s in its answer")
        else:
            self.abandon()

    def _still_since(self) -> float:
        flows = [flow.last for flow in (self.upload, self.download) if flow is not None]
        return max(flows) if flows else self._since

    def _patience(self, client_timeout: float) -> float:
        """Give the time-out of the side that is waited for; of both, the longer."""
        server_timeout = self.target.server_timeout
        waits = []
        if self.upload is not None:
            waits.append(client_timeout if self.upload.writable else server_timeout)
        if self.download is not None:
            waits.append(server_timeout if self.download.writable else client_timeout)
        return max(waits) if waits else server_timeout


IDLE: Final[Exchange] = Exchange.__new__(Exchange)
"""Stands for the exchange of a client that had no use for one so far: it is not active."""
IDLE.active = False
