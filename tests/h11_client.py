"""An HTTP/1.1 client on h11, which takes nothing that RFC 9112 does not allow; with trailers."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import NamedTuple

import h11

Fields = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """One whole answer."""

    status: int
    fields: dict[bytes, bytes]
    body: bytes
    trailers: Fields
    interim: list[tuple[int, Fields]]
    """Answers of 1xx before it, with their fields."""


class Client:
    """One connection; `ask` as often as it is kept."""

    def __init__(self, sock: socket.socket, host: str) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.host = host
        self.wire = h11.Connection(h11.CLIENT)

    def ask(
        self,
        method: str,
        target: str,
        body: Iterable[bytes] = (),
        trailers: Fields | None = None,
        **fields: str,
    ) -> Answer:
        """Send a request, its body in chunks unless it has a Content-Length; read the answer.

        With `Expect: 100-continue` the body is sent only when it is asked for.
        """
        lines = [("Host", self.host), *((n.replace("_", "-"), v) for n, v in fields.items())]
        pieces = list(body)
        if pieces and "Content_Length" not in fields:
            lines.append(("Transfer-Encoding", "chunked"))
        self._send(h11.Request(method=method, target=target, headers=lines))
        interim: list[tuple[int, Fields]] = []
        final = None
        if "Expect" in fields:
            final = self._head(interim, until=100)
        if final is None:
            for piece in pieces:
                self._send(h11.Data(data=piece))
            self._send(h11.EndOfMessage(headers=trailers or []))
        return self._rest(final or self._head(interim), interim)

    def _send(self, event: h11.Event) -> None:
        data = self.wire.send(event)
        if data:
            self.sock.sendall(data)

    def _next(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self.wire.next_event()) is h11.NEED_DATA:
            self.wire.receive_data(self.sock.recv(65536))
        return event

    def _head(self, interim: list[tuple[int, Fields]], until: int = 0) -> h11.Response | None:
        """Read heads up to the final one, or to an interim one with the status `until`."""
        while isinstance(event := self._next(), h11.InformationalResponse):
            interim.append((event.status_code, list(event.headers)))
            if event.status_code == until:
                return None
        assert isinstance(event, h11.Response), event
        return event

    def _rest(self, head: h11.Response | None, interim: list[tuple[int, Fields]]) -> Answer:
        assert head is not None
        body = []
        while isinstance(event := self._next(), h11.Data):
            body.append(bytes(event.data))
        assert isinstance(event, h11.EndOfMessage), event
        if self.wire.our_state is h11.DONE and self.wire.their_state is h11.DONE:
            self.wire.start_next_cycle()
        fields = dict(head.headers)
        return Answer(head.status_code, fields, b"".join(body), list(event.headers), interim)
