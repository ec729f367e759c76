"""Reads requests and writes responses on a blocking socket: all the HTTP that a pod needs.

It stands behind a router that has refused everything ambiguous already, so it is short: what it
does not understand ends the connection.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator

from podway.pods.answer import PodSpec, Reply, Request, encode, reply

LINE_BYTES = 65_536
"""Longest line of a head (the router's own limit for a whole head is 24 KiB)."""
HEAD_LINES = 200
IDLE_SECONDS = 310.0
"""A kept connection is closed after the router's own 300 s, so that the router closes first."""
_FILLER = bytes(range(256)) * 256


class UnreadableError(Exception):
    """The peer sent what this small server does not understand."""


def serve(sock: socket.socket, pod: PodSpec, tls: str = "") -> None:
    """Answer requests on `sock` until the peer is done, then close it.

    Raises OSError or `UnreadableError` when the connection ends otherwise; it is closed then too.
    """
    peer, local = sock.getpeername()[:2], sock.getsockname()[:2]
    blank = Request("", "", "", (), peer, local, tls)
    with sock, sock.makefile("rwb") as stream:
        while (request := read_request(stream, blank)) is not None:
            keep = keeps(request)
            _write(stream, request, reply(pod, request), pod, keep=keep)
            if not keep:
                return


def read_request(stream: io.BufferedIOBase, blank: Request) -> Request | None:
    """Read one request and its body into a copy of `blank`; None at the end of the connection."""
    first = stream.readline(LINE_BYTES)
    if not first:
        return None
    parts = first.decode("latin-1").split()
    if len(parts) != 3:
        raise UnreadableError(f"request line {first[:80]!r}")
    method, target, version = parts
    headers = tuple(_read_headers(stream))
    request = blank._replace(method=method, target=target, version=version, headers=headers)
    if request.header("expect").lower() == "100-continue":
        stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        stream.flush()
    return _with_body(stream, request)


def keeps(request: Request) -> bool:
    """Tell whether the connection stays open after this request."""
    asked = request.header("connection").lower()
    return asked == "keep-alive" if request.version == "HTTP/1.0" else asked != "close"


def _read_headers(stream: io.BufferedIOBase) -> Iterator[tuple[str, str]]:
    for _ in range(HEAD_LINES):
        line = stream.readline(LINE_BYTES)
        if line in (b"\r\n", b"\n"):
            return
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise UnreadableError(f"header line {line[:80]!r}")
        yield name, value.strip()
    raise UnreadableError(f"more than {HEAD_LINES} header lines")


def _with_body(stream: io.BufferedIOBase, request: Request) -> Request:
    chunked = "chunked" in request.header("transfer-encoding").lower()
    length = request.header("content-length")
    if not chunked and length in ("", "0"):
        return request
    import hashlib  # loads OpenSSL: only a request with a body needs it

    digest, total = hashlib.sha256(), 0
    for piece in _chunked(stream) if chunked else _exactly(stream, _number(length, 10)):
        digest.update(piece)
        total += len(piece)
    return request._replace(body_bytes=total, body_sha256=digest.hexdigest())


def _exactly(stream: io.BufferedIOBase, left: int) -> Iterator[bytes]:
    while left:
        piece = stream.read(min(left, LINE_BYTES))
        if not piece:
            raise UnreadableError("the body ended early")
        left -= len(piece)
        yield piece


def _chunked(stream: io.BufferedIOBase) -> Iterator[bytes]:
    while size := _number(stream.readline(LINE_BYTES).split(b";")[0].strip().decode("latin-1"), 16):
        yield from _exactly(stream, size)
        stream.readline(LINE_BYTES)
    for _ in _read_headers(stream):  # trailers, up to the empty line
        continue


def _number(text: str, base: int) -> int:
    if not text.isalnum() or not text.isascii():
        raise UnreadableError(f"length {text!r}")
    try:
        return int(text, base)
    except ValueError:
        raise UnreadableError(f"length {text!r}") from None


def _write(
    stream: io.BufferedIOBase, request: Request, response: Reply, pod: PodSpec, *, keep: bool
) -> None:
    data = encode(response, pod, keep=keep)
    if request.method == "HEAD":
        data = data[: len(data) - len(response.body)]
    stream.write(data)
    left = 0 if request.method == "HEAD" else response.filler
    while left:
        left -= stream.write(_FILLER[:left])
    stream.flush()
