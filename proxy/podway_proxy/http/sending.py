"""The first half of an exchange: the request goes out on the connection that was found.

Also how an exchange ends early, and when a request may be sent a second time.
"""

from __future__ import annotations

from podway_proxy.http.answer import Answer
from podway_proxy.http.asker import AnyFlow
from podway_proxy.http.chunked_flow import ChunkedFlow
from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.finding import Finding
from podway_proxy.http.request import CHUNKED, NO_BODY
from podway_proxy.plane.copying import flow_between
from podway_proxy.plane.flow import Outcome

ATTEMPTS = 3
"""Connections on which one request is sent at most: a stale one, a new one, another pod's."""


class Sending(Finding):
    """The request's half of an exchange; the answer's half builds on it."""

    __slots__ = ()

    # ---- the request ----------------------------------------------------------------------

    def resume(self, connection: EndpointConnection, since: float) -> None:
        """Go on with a prepared request that was sent on `connection` at `since`.

        The target was told of it then.
        """
        self.connection = connection
        connection.user = self
        self.endpoint = connection.endpoint
        self.attempts = 1
        self._since = since
        self.sent = True

    def sent_in_part(self, connection: EndpointConnection, sent: int) -> None:
        """Go on where the kernel took the first `sent` bytes of a resumed request only."""
        self.sent = False
        self._send_on(connection, self._first[sent:])

    def unsent(self, error: OSError) -> None:
        """Go on where a resumed request could not be sent at all."""
        self.sent = False
        connection = self.connection
        untouched = connection is not None and connection.untouched(len(self._first))
        self.lost(error.strerror or "reset", untouched=untouched)

    def _send(self, connection: EndpointConnection) -> None:
        try:
            sent = connection.sock.send(self._first)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.unsent(error)
            return
        if sent == len(self._first) and self._left == NO_BODY:
            self.sent = True
        else:
            self._send_on(connection, self._first[sent:])

    def _send_on(self, connection: EndpointConnection, rest: bytes) -> None:
        """Send what of `first` the kernel did not take, and the body that is still to come."""
        if not rest and self._left == NO_BODY:
            self.sent = True
            return
        client, server = self._asker.sock, connection.sock
        if self._left != NO_BODY:
            self._replayable = False
        if self._left == CHUNKED and self._follower is not None:
            upload: AnyFlow = ChunkedFlow(
                self._plane, client, server, self._uploaded, self._follower, rest
            )
        else:
            flow = flow_between(client, server)
            upload = flow(self._plane, client, server, self._uploaded, self._left, rest)
        self.upload = upload
        upload.run()

    def _uploaded(self, flow: AnyFlow) -> None:
        self.upload = None
        self._since = self._plane.now
        if flow.outcome is Outcome.LENGTH:
            self.sent = True
            if self._left != NO_BODY:
                self._asker.took(flow)
        elif flow.outcome is Outcome.SINK:
            # The endpoint reads no more; what it said before that is still to be had.
            connection = self.connection
            self._read_answer()
            if self.connection is connection and self.response is None:
                self.lost("the endpoint stopped reading the request")
        elif isinstance(flow, ChunkedFlow) and flow.error:
            self._fail(400, "bad-request", f"the request's body is malformed: {flow.error}")
        elif flow.outcome is Outcome.EOF:
            self._fail(400, "bad-request", "the request's body ended early")
        else:
            self.abandon()

    # ---- the end --------------------------------------------------------------------------

    def _drop(self) -> None:
        """Let go of everything: the endpoint must not take this request for complete."""
        if self.dial is not None:
            self.dial.cancel()
            self.dial = None
        if self.target.gate is not None:
            self.target.gate.cancel()
        self._stop_upload()
        if self.download is not None:
            self.download.stop()
            self.download = None
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.abort()
            if self.target.on_close is not None:
                self.target.on_close(connection.endpoint)

    def _stop_upload(self) -> None:
        if self.upload is not None:
            self.upload.stop()
            self.upload = None

    def lost(self, why: str, untouched: bool = False) -> None:
        """Try again if that can do no harm: the endpoint left before it answered.

        A request whose bytes were not sent may go out again; one that was sent, only if doing it
        twice is doing it once (RFC 9110 section 9.2.2); none of which a part of the body is gone.
        """
        connection = self.connection
        safe = untouched or (self.request.idempotent and not self._heard and not self._interim)
        self._drop()
        if connection is None or not (safe and self._replayable and self.attempts < ATTEMPTS):
            self._fail(502, "reset", "the pod ended the connection", f"{self.endpoint}: {why}")
            return
        again = None if connection.used else next(self._candidates, None)
        self.sent = False
        self._heard = b""
        self.connect(again or connection.endpoint)

    def _bad(self, reason: str) -> bool:
        self._fail(502, "bad-answer", reason, str(self.endpoint))
        return False

    def _fail(self, status: int, step: str, reason: str, detail: str = "") -> None:
        """End with an answer of our own, or cut the client off if it has read a part already.

        `detail` is for the operator alone: where pods are is none of the client's business.
        """
        if self._begun:
            self.cut(reason)
            return
        self._drop()
        self.active = False
        self.response = None
        self._asker.failed(Answer(status, step, reason, detail=detail))

    def cut(self, reason: str) -> None:
        """End both sides: the client must not take what it got for the whole."""
        self._drop()
        self.active = False
        self._asker.cut(reason)

    def abandon(self) -> None:
        """End both sides: the client is gone, or is given up."""
        self._drop()
        self.active = False
        self._asker.lost()
