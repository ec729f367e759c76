"""The head of an endpoint's answer: status, framing, and whether the connection can be kept.

Strict, as a wrong guess here mixes up two clients' answers: what could be read in two ways is an
error, answered with 502, and the connection is not used again.
"""

from __future__ import annotations

import re

from podway_proxy.http.refuse import FIELD_LINES
from podway_proxy.http.request import CHUNKED, NO_BODY, UNTIL_CLOSE

_SYNTAX = re.compile(
    rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n" + FIELD_LINES + rb"\r\n"
).fullmatch

_NOTABLE = re.compile(
    rb"\n(content-length|transfer-encoding|connection|keep-alive|proxy-connection|upgrade)"
    rb":[\t ]*+([^\r]*)"
).findall

_LENGTH = re.compile(rb"[0-9]{1,18}").fullmatch
_BODILESS = frozenset((204, 304))
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))

SWITCHING = 101


class ResponseError(ValueError):
    """An answer that must not be passed on; the message says why."""


class Response:
    """One answer's head. Read-only after it is made."""

    __slots__ = ("hop", "keep_alive", "length", "modern", "status")

    status: int
    length: int
    """Bytes of body that follow: `NO_BODY`, a number, `CHUNKED` or `UNTIL_CLOSE`."""
    keep_alive: bool
    """The endpoint's connection can be used again after this answer."""
    modern: bool
    """HTTP/1.1; else HTTP/1.0."""
    hop: bool
    """The head holds fields of the last hop, which do not go on to the client."""

    def __init__(self, status: int, length: int, keep_alive: bool, modern: bool, hop: bool) -> None:
        self.status = status
        self.length = length
        self.keep_alive = keep_alive
        self.modern = modern
        self.hop = hop

    @property
    def interim(self) -> bool:
        """Another answer to the same request follows (1xx, but not 101)."""
        return self.status < 200 and self.status != SWITCHING


def read_response(head: bytes, method: bytes) -> Response:
    """Read a whole answer's head, up to and with the empty line.

    `method` is the request's: an answer to HEAD has no body. Raises ResponseError.
    """
    match = _SYNTAX(head)
    if match is None:
        raise ResponseError("the answer's head is not proper HTTP/1.1")
    status = int(match[2])
    modern = match[1] == b"1"
    found = _NOTABLE(head.lower())
    if len(found) == 1 and found[0][0] == b"content-length":
        length, keep_alive, hop = _length([found[0][1].rstrip()]), modern, False
    else:
        length, keep_alive, hop = _framing(found, modern)
    if status < 200 or status in _BODILESS or method == b"HEAD":
        # RFC 9112 section 6.3, rules 1 and 2: never a body, whatever the fields say.
        if status < 200 and length != UNTIL_CLOSE:
            raise ResponseError(f"an answer of status {status} announces a body")
        return Response(status, NO_BODY, keep_alive, modern, hop)
    return Response(status, length, keep_alive and length != UNTIL_CLOSE, modern, hop)


def _length(values: list[bytes]) -> int:
    if len(set(values)) > 1:
        raise ResponseError("the answer has differing Content-Lengths")
    if not _LENGTH(values[0]):
        raise ResponseError("the answer's Content-Length is not a plain decimal number")
    return int(values[0])


def _framing(found: list[tuple[bytes, bytes]], modern: bool) -> tuple[int, bool, bool]:
    """Give (length, keep_alive, hop) from the fields that decide them."""
    lengths: list[bytes] = []
    codings: list[bytes] = []
    options: set[bytes] = set()
    for name, value in found:
        if name == b"content-length":
            lengths.append(value.rstrip())
        elif name == b"transfer-encoding":
            codings.append(value.rstrip())
        elif name == b"connection":
            options.update(option.strip() for option in value.split(b","))
    keep_alive = b"close" not in options and (modern or b"keep-alive" in options)
    hop = any(name not in _FRAMING for name, _ in found)
    return _body_length(lengths, codings, modern), keep_alive, hop


def _body_length(lengths: list[bytes], codings: list[bytes], modern: bool) -> int:
    if codings:
        if lengths:
            raise ResponseError("the answer has both Content-Length and Transfer-Encoding")
        if codings != [b"chunked"]:
            raise ResponseError("the answer's Transfer-Encoding is not just `chunked`")
        if not modern:
            raise ResponseError("the answer is chunked, but HTTP/1.0")
        return CHUNKED
    return _length(lengths) if lengths else UNTIL_CLOSE
