"""One HTTP request over a new connection: what the first-answer probe and `trace` send."""

from __future__ import annotations

import socket
from typing import NamedTuple

MOST_BYTES = 65_536
"""More of an answer is not read: its head and a description are wanted, not a download."""


class HttpAnswer(NamedTuple):
    """Status, header fields (names in lower case) and the beginning of the body."""

    status: int
    headers: dict[str, str]
    body: str


class NoHttpAnswerError(OSError):
    """The connection ended or brought something else before there was an answer's head."""


def request(host: str, path: str, accept: str) -> bytes:
    """Give a GET request that ends its connection."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: podway\r\nAccept: {accept}\r\n"
        "Connection: close\r\n\r\n"
    ).encode("latin-1")


def exchange(sock: socket.socket, message: bytes) -> HttpAnswer:
    """Send `message` and read the answer. Raises OSError, `NoHttpAnswerError` among them."""
    sock.sendall(message)
    data = b""
    while len(data) < MOST_BYTES:
        piece = sock.recv(MOST_BYTES)
        data += piece
        if not piece or _complete(data):
            break
    return parse(data)


def parse(data: bytes) -> HttpAnswer:
    """Read an answer that was closed after its body. Raises `NoHttpAnswerError`."""
    head, end, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if not end or len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        raise NoHttpAnswerError(
            "closed without an answer" if not data else f"no HTTP answer: {data[:40]!r}"
        )
    pairs = (line.partition(":") for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return HttpAnswer(int(words[1]), headers, body.decode("utf-8", "replace"))


def _complete(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            return len(body) >= int(value)
    return False
