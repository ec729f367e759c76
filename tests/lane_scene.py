"""Requests and answers of every kind, played through a front with the fast lane and without it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import NamedTuple

from http_rig import OK, Handler, PodConnection, read_all, read_answer, serving, until

from podway_proxy.http.extras import Extras
from podway_proxy.http.front import COUNTERS
from podway_proxy.values import Endpoint
from podway_router.sticky import value_of

WARM = b"GET /warm HTTP/1.1\r\nHost: a\r\n\r\n"
END = b"GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def ask(more: bytes = b"", line: bytes = b"GET /x?y=1 HTTP/1.1", host: bytes = b"Host: a") -> bytes:
    return line + b"\r\n" + host + b"\r\n" + more + b"\r\n"


REQUESTS = {
    "usual": ask(),
    "fields": ask(b"Accept: */*\r\nCookie: a=b; c=d\r\nX-Request-Id: 1\r\n"),
    "close": ask(b"Connection: close\r\n"),
    "keep-alive": ask(b"Connection: keep-alive\r\nAccept: */*\r\n"),
    "close first": b"GET / HTTP/1.1\r\nConnection: close\r\nHost: a\r\nAccept: */*\r\n\r\n",
    "close, spelt otherwise": ask(b"connection:Close\r\n"),
    "close, twice": ask(b"Connection: close\r\nConnection: close\r\n"),
    "connection names a field": ask(b"Connection: keep-alive, x-hop\r\nX-Hop: 1\r\n"),
    "close in another field": ask(b"X-Note: Connection: close\r\n"),
    "host in capitals": ask(host=b"HOST: A"),
    "host with space": ask(host=b"Host:  a "),
    "host with port": ask(host=b"Host: a:80"),
    "two hosts": ask(b"Host: a\r\n"),
    "unknown host": ask(host=b"Host: b"),
    "host named by connection": b"GET / HTTP/1.1\r\nConnection: a\r\nX-Host: a\r\n\r\n",
    "head": ask(line=b"HEAD / HTTP/1.1"),
    "delete": ask(line=b"DELETE /x HTTP/1.1"),
    "post without body": ask(line=b"POST /x HTTP/1.1"),
    "post": ask(b"Content-Length: 2\r\n", b"POST /x HTTP/1.1") + b"hi",
    "chunked": ask(b"Transfer-Encoding: chunked\r\n", b"POST / HTTP/1.1") + b"2\r\nhi\r\n0\r\n\r\n",
    "forwarded": ask(b"X-Forwarded-For: 1.2.3.4\r\n"),
    "old": ask(line=b"GET / HTTP/1.0"),
    "absolute": ask(line=b"GET http://a/x HTTP/1.1"),
    "star": ask(line=b"OPTIONS * HTTP/1.1"),
    "two at once": ask() + ask(b"Accept: */*\r\n"),
    "one and a half": ask() + ask()[:20],
    "line before": b"\r\n" + ask(),
    "folded": ask(b"X-A: 1\r\n 2\r\n"),
    "bare lf": ask(b"X-A: 1\n"),
    "control": ask(b"X-A: \x01\r\n"),
    "too long": ask(b"X-A: " + b"a" * 25_000 + b"\r\n"),
    "too many": ask(b"X-A: 1\r\n" * 100),
    "body unannounced": ask() + b"junk\r\n\r\n",
}

ANSWERS = {
    "usual": OK,
    "keep-alive": OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\nX: y\r\n\r\n"),
    "keep-alive, spelt otherwise": OK.replace(b"\r\n\r\n", b"\r\nconnection: Keep-Alive\r\n\r\n"),
    "close": OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    "old": OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "not found": OK.replace(b"200 OK", b"404 Not Found"),
    "empty": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK,
    "two lengths": OK.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n"),
    "surplus": OK + b"more",
    "trailing line": OK.replace(b"\r\n\r\nok", b"\r\n\r\n\r\n"),
    "malformed": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000,
}


def gives(answer: bytes, *, pieces: int = 1, ends: bool = False) -> Handler:
    """Answer the warm-up and the end as usual, all else so; perhaps in pieces, perhaps ending."""

    def handle(connection: PodConnection) -> None:
        while head := connection.head():
            special = b"/warm" not in head and b"/end" not in head
            if head.startswith(b"POST") and b"chunked" in head:
                connection.exactly(len(b"2\r\nhi\r\n0\r\n\r\n"))
            elif head.startswith(b"POST") and b"Content-Length" in head:
                connection.exactly(2)
            data = answer if special else OK
            size = len(data) // pieces + 1
            for at in range(0, len(data), size):
                connection.send(data[at : at + size])
                if pieces > 1:
                    threading.Event().wait(0.001)
            if special and ends:
                return

    return handle


Dress = Callable[[list[Endpoint]], Extras]
VALUE = b"@pod@"
"""Stands for the pod in cookies."""


class Seen(NamedTuple):
    """What one way made of a scenario."""

    client: bytes
    pod: bytes
    counts: tuple[int, ...]


def played(request: bytes, handler: Handler, lanes: bool, dress: Dress | None = None) -> Seen:
    with serving(handler, lanes=lanes, dress=dress) as (rig, [pod]):
        with rig.connect() as sock:
            got = b""
            for _ in range(3):
                sock.sendall(WARM)
                got += b"".join(read_answer(sock))
            with contextlib.suppress(ConnectionResetError):
                sock.sendall(request)
                got += sock.recv(1 << 20)
            if b"Connection: close" not in got:
                with contextlib.suppress(OSError):
                    sock.sendall(END)
            got += read_all(sock)
        until(lambda: rig.front.active == 0)
        assert rig.opened == rig.closed
        port = b"%d" % rig.port
        got = got.replace(value_of("shop", pod.endpoint), VALUE)
        return Seen(got, pod.seen.replace(port, b"PORT"), tuple(rig.front.row[: len(COUNTERS)]))


def unordered(seen: Seen) -> Seen:
    """The same with the lines that the client got in order of their bytes."""
    return seen._replace(client=b"\n".join(sorted(seen.client.split(b"\r\n"))))
