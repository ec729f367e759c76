"""The head of an endpoint's answer: status, framing, and whether the connection can be kept.

Strict, as a wrong guess here mixes up two clients' answers: what could be read in two ways is an
error, answered with 502, and the connection is not used again.
"""

from __future__ import annotations

import re

from podway_proxy.http.refuse import FIELD_LINES, TOKEN, VALUE
from podway_proxy.http.request import CHUNKED, NO_BODY, UNTIL_CLOSE

_SYNTAX = re.compile(
    rb"HTTP/1\.[01] [1-5][0-9][0-9](?: [\t\x20-\x7e\x80-\xff]*+)?\r\n" + FIELD_LINES + rb"\r\n"
).fullmatch

_NOTABLE = re.compile(
    rb"\n(content-length|transfer-encoding|connection|keep-alive|proxy-connection|upgrade)"
    rb":[\t ]*+([^\r]*)"
).findall

_DECIDES = rb"(?i:content-length|transfer-encoding|connection|keep-alive|proxy-connection|upgrade):"
_PLAIN_LINES = (
    rb"(?:(?:[!#$%&'*+\-.^_`|~0-9ABD-JL-OQRSV-Zabd-jl-oqrsv-z]|(?!"
    + _DECIDES
    + rb")[CKPTUckptu])"
    + TOKEN
    + rb"*+:"
    + VALUE
    + rb"*+\r\n)*"
)
"""Field lines that decide nothing; most show it with their first letter. The repetition is not
possessive: Python before 3.11.5 fails one around a part that may go back (gh-106052), as the
alternatives here. There is but one way to match, so that going back ends at once."""

common = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: "
    + VALUE
    + rb"*+)?\r\n"
    + _PLAIN_LINES
    + rb"(?i:content-length):[\t ]*+([0-9]{1,18})\r\n"
    + _PLAIN_LINES
    + rb"(?:(Connection: keep-alive\r\n)"
    + _PLAIN_LINES
    + rb")?\r\n"
).match
"""The common answer, from its first byte to its body: HTTP/1.1, one Content-Length, the connection
stays. Captures status, length and the Connection line; ends where the head does, as no other line
is empty. Half the cost of the scan
for all that may decide; tests/property/test_http_response.py shows that both read alike."""

_LENGTH = re.compile(rb"[0-9]{1,18}").fullmatch
BODILESS = frozenset((204, 304))
_ONE = ord("1")

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
    """The endpoint's connection can be used again after this answer: HTTP/1.1, not closed."""
    modern: bool
    """HTTP/1.1; else HTTP/1.0."""
    hop: int
    """How many fields of the last hop the head holds; they do not go on to the client."""

    def __init__(self, status: int, length: int, keep_alive: bool, modern: bool, hop: int) -> None:
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
    found = common(head)
    if found is not None and found.end() == len(head) and method != b"HEAD":
        code, size, kept = found.groups()
        status = int(code)
        if status not in BODILESS:
            return Response(status, int(size), True, True, 0 if kept is None else 1)
    return read_any(head, method)


def read_any(head: bytes, method: bytes) -> Response:
    """Do what `read_response` does, for any head."""
    if _SYNTAX(head) is None:
        raise ResponseError("the answer's head is not proper HTTP/1.1")
    status = int(head[9:12])
    modern = head[7] == _ONE
    length = UNTIL_CLOSE
    keep_alive, hop, coded = modern, 0, False
    for name, value in _NOTABLE(head.lower()):
        if name == b"content-length":
            length = _length(value.rstrip(), length)
        elif name == b"transfer-encoding":
            if coded or value.rstrip() != b"chunked":
                raise ResponseError("the answer's Transfer-Encoding is not just `chunked`")
            coded = True
        else:
            hop += 1
            if name == b"connection" and value != b"keep-alive" and _closes(value):
                keep_alive = False
    if coded:
        length = _chunked(length, modern)
    if status >= 200 and status not in BODILESS and method != b"HEAD":
        return Response(status, length, keep_alive and length != UNTIL_CLOSE, modern, hop)
    # RFC 9112 section 6.3, rules 1 and 2: never a body, whatever the fields say.
    if status < 200 and length != UNTIL_CLOSE:
        raise ResponseError(f"an answer of status {status} announces a body")
    return Response(status, NO_BODY, keep_alive, modern, hop)


def _length(value: bytes, before: int) -> int:
    """Read one Content-Length; `before` is what an earlier one said, or UNTIL_CLOSE."""
    if not _LENGTH(value):
        raise ResponseError("the answer's Content-Length is not a plain decimal number")
    length = int(value)
    if before not in (UNTIL_CLOSE, length):
        raise ResponseError("the answer has differing Content-Lengths")
    return length


def _chunked(length: int, modern: bool) -> int:
    if length != UNTIL_CLOSE:
        raise ResponseError("the answer has both Content-Length and Transfer-Encoding")
    if not modern:
        raise ResponseError("the answer is chunked, but HTTP/1.0")
    return CHUNKED


def _closes(value: bytes) -> bool:
    return b"close" in {option.strip() for option in value.split(b",")}
