"""The floor of HTTP: `python -m bench.floor.requests PORT POD`.

Heads go through the same strict expressions as the engine's; a request or answer that needs more
than one read, or has a body of unknown length, ends the program: the benchmark sends none.
"""

from __future__ import annotations

import _socket
import re
import sys
from dataclasses import dataclass

from bench.floor.edges import READ, close, connect, serve, watch
from bench.peers.peer import HOST
from podway_proxy.http.refuse import FIELD_LINES, TOKEN, notable

_REQUEST = re.compile(TOKEN + rb"++ /[!-\"$-~]*+ HTTP/1\.1\r\n" + FIELD_LINES + rb"\r\n").fullmatch
_ANSWER = re.compile(
    rb"HTTP/1\.1 [2-5][0-9][0-9](?: [\t\x20-\x7e\x80-\xff]*+)?\r\n" + FIELD_LINES + rb"\r\n"
).fullmatch
_NOTABLE = re.compile(
    rb"\n(content-length|transfer-encoding|connection|keep-alive|upgrade):[\t ]*+([^\r]*)"
).findall
_ROUTES = {HOST.encode(): True}
_FORWARDED = (
    "X-Forwarded-For: 127.0.0.1\r\n"
    f"X-Forwarded-Host: {HOST}\r\nX-Forwarded-Port: 80\r\nX-Forwarded-Proto: http\r\n"
    f"Forwarded: for=127.0.0.1;host={HOST};proto=http\r\n"
).encode()


class Unforeseen(SystemExit):
    """Something that the floor does not do."""


@dataclass(slots=True)
class Pod:
    """A kept connection to the pod."""

    sock: _socket.socket
    kept: list[Pod]
    client: Client | None = None

    def on_edge(self, mask: int) -> None:
        """Take an answer, give it to the client, and be free for another request."""
        client = self.client
        if client is None or not mask & READ:
            return
        data = self.sock.recv(65_536)
        end = data.find(b"\r\n\r\n") + 4
        fields = dict(_NOTABLE(data[:end].lower()))
        whole = end + int(fields.get(b"content-length", b"-1"))
        keeps = fields.get(b"connection", b"keep-alive") == b"keep-alive"
        if _ANSWER(data[:end]) is None or len(data) != whole or not keeps:
            raise Unforeseen("an answer that the floor does not know")
        self.client = None
        self.kept.append(self)
        client.answer(data, end)


@dataclass(slots=True)
class Client:
    """A client's connection."""

    sock: _socket.socket
    address: tuple[str, int]
    kept: list[Pod]
    closing: bool = False

    def on_edge(self, mask: int) -> None:
        """Take a request and send it on."""
        if not mask & READ:
            return
        try:
            data = self.sock.recv(32_768)
        except OSError:
            data = b""
        if not data:
            close(self.sock)
            return
        fields = dict(notable(data))
        if _REQUEST(data) is None or fields.get(b"host") not in _ROUTES:
            raise Unforeseen("a request that the floor does not know")
        if fields.get(b"connection") == b"close":
            self.closing = True
            start = data.lower().find(b"\nconnection:") + 1
            data = data[:start] + data[data.find(b"\n", start) + 1 :]
        pod = self.kept.pop() if self.kept else self._connect()
        pod.client = self
        pod.sock.send(data[:-2] + _FORWARDED + b"\r\n")

    def answer(self, data: bytes, end: int) -> None:
        """Send an answer, whose head is `data[:end]`."""
        if self.closing:
            self.sock.send(data[: end - 2] + b"Connection: close\r\n\r\n" + data[end:])
            close(self.sock)
        else:
            self.sock.send(data)

    def _connect(self) -> Pod:
        pod = Pod(connect(self.address), self.kept)
        watch(pod.sock, pod.on_edge)
        return pod


def main(port: int, pod: int) -> None:
    """Serve every connection."""
    kept: list[Pod] = []

    def take(sock: _socket.socket) -> None:
        watch(sock, Client(sock, ("127.0.0.1", pod), kept).on_edge)

    serve(port, take)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
