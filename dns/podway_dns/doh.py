"""DNS over HTTP at `/dns-query`: GET and POST, RFC 8484. Pure.

Without TLS: something in front terminates it, as a Route does. Heads are read by podway_proxy's
strict reader; what it refuses is refused here with the same status.
"""

from __future__ import annotations

import binascii
import re

from podway_dns.framing import Answer, Step
from podway_dns.limits import TCP_QUERY
from podway_dns.sections import MessageError, lifetime
from podway_dns.sections import read as read_message
from podway_proxy.http.head import read_head
from podway_proxy.http.refuse import Refusal
from podway_proxy.http.request import Request

PATH = b"/dns-query"
MEDIA = b"application/dns-message"
HEAD_BYTES = 8192
"""Longest request head; a query in a GET has at most some 5,500 (4,096 bytes in base64)."""
_MEDIA_FIELD = re.compile(
    rb"\ncontent-type:[\t ]*application/dns-message[\t ]*[;\r]", re.IGNORECASE
)
_QUERY = re.compile(rb"(?:^|&)dns=([A-Za-z0-9_-]*)(?:&|$)")
_REASONS = {200: b"OK", 400: b"Bad Request", 404: b"Not Found", 405: b"Method Not Allowed",
            411: b"Length Required", 413: b"Content Too Large", 415: b"Unsupported Media Type",
            431: b"Request Header Fields Too Large", 501: b"Not Implemented",
            505: b"HTTP Version Not Supported"}  # fmt: skip


class _Bad(Exception):  # noqa: N818 - an HTTP answer, not a fault of ours
    """The request gets this status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class HttpFraming:
    """One HTTP/1.1 connection; its requests are answered in order."""

    __slots__ = ()

    def feed(self, data: bytearray, answer: Answer) -> Step:
        """Answer the first whole request."""
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            if len(data) <= HEAD_BYTES:
                return Step(0, b"")
            return _closing(_Bad(431, "the request head is too long"))
        request = read_head(bytes(data[:end]))
        if isinstance(request, Refusal):
            return _closing(_Bad(request.status, request.reason))
        try:
            return self._serve(request, data, end, answer)
        except _Bad as bad:
            return _closing(bad)

    def frame(self, reply: bytes) -> bytes:
        """Give the HTTP answer around a DNS one, kept as long as its records are (8484 5.1)."""
        field = f"cache-control: max-age={_age(reply)}\r\n".encode()
        return _response(200, MEDIA, reply, field)

    def _serve(self, request: Request, data: bytearray, end: int, answer: Answer) -> Step:
        length = request.length
        if length < 0 or (
            request.method == b"POST" and b"content-length" not in dict(request.notable)
        ):
            raise _Bad(411, "Content-Length is needed")
        if length > TCP_QUERY:
            raise _Bad(413, "a DNS message has at most 65535 bytes")
        if request.expect_continue and len(data) == end < end + length:
            return _continue(data, end)
        if len(data) < end + length:
            return Step(0, b"")
        message = _message(request, bytes(data[end : end + length]))
        reply = answer(message)
        if reply is None:
            raise _Bad(400, "that is no DNS query")
        output = self.frame(reply)
        return Step(end + length, output, over=not request.keep_alive)


def _continue(data: bytearray, end: int) -> Step:
    """Ask for the body, and forget that the client waits for that (RFC 9110 section 10.1.1)."""
    data[:end] = re.sub(rb"\r\nexpect:[^\r]*", b"", bytes(data[:end]), flags=re.IGNORECASE)
    return Step(0, b"HTTP/1.1 100 Continue\r\n\r\n")


def _message(request: Request, body: bytes) -> bytes:
    if request.path != PATH:
        raise _Bad(404, "only /dns-query is here")
    if request.method == b"POST":
        if not _MEDIA_FIELD.search(request.head):
            raise _Bad(415, "Content-Type must be application/dns-message")
        return body
    if request.method != b"GET":
        raise _Bad(405, "GET or POST")
    found = _QUERY.search(request.target.partition(b"?")[2])
    if not found:
        raise _Bad(400, "the parameter dns is missing, or not base64url without padding")
    try:
        text = found[1].replace(b"-", b"+").replace(b"_", b"/")
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        raise _Bad(400, "the parameter dns is not base64url") from None


def _age(reply: bytes) -> int:
    try:
        return lifetime(read_message(reply), 86_400)
    except MessageError:
        return 0


def _closing(bad: _Bad) -> Step:
    text = f"{bad}\n".encode()
    return Step(0, _response(bad.status, b"text/plain", text, b"connection: close\r\n"), over=True)


def _response(status: int, media: bytes, body: bytes, field: bytes) -> bytes:
    return b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n%s\r\n%s" % (
        status, _REASONS.get(status, b"Error"), media, len(body), field, body,
    )  # fmt: skip
