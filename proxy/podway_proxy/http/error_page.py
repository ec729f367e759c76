"""An operator's own error page: a whole HTTP answer as a text, checked once and sent as ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from podway_proxy.http.refuse import TOKEN, VALUE

MOST = 32_768
"""Longest page in bytes (HAProxy's buffer as OpenShift sets it, headerBufferBytes)."""
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: (" + VALUE + rb"*))?").fullmatch
_FIELD = re.compile(rb"(" + TOKEN + rb"+):(" + VALUE + rb"*)").fullmatch
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_OURS = frozenset(
    (
        *(b"content-length", b"transfer-encoding", b"connection", b"keep-alive"),
        *(b"proxy-connection", b"upgrade", b"trailer", b"te", b"date"),
    )
)
"""Fields of framing and of one hop: they are made anew for each answer."""


class ErrorPage(NamedTuple):
    """A page that is in order."""

    status: int
    head: bytes
    """Status line and fields, without those of framing; each line with its end."""
    body: bytes

    def render(self, request: bytes, close: bool, reason: str = "") -> bytes:
        """Give the whole answer to a request with this head (empty: none was read).

        `close` announces that the connection ends with it; `reason` is said in X-Podway-Reason.
        """
        more = b"Content-Length: %d\r\n" % len(self.body)
        if reason:
            more += b"X-Podway-Reason: " + reason.encode("latin-1", "replace") + b"\r\n"
        if close:
            more += b"Connection: close\r\n"
        body = b"" if request.startswith(b"HEAD ") else self.body
        return self.head + more + b"\r\n" + body


class PageError(ValueError):
    """The message says what is wrong with a page, and what to do."""


def read_page(text: bytes, status: int) -> ErrorPage:
    """Read a page that is to be sent with that status; lines may end in LF alone.

    Raises PageError.
    """
    if len(text) > MOST:
        raise PageError(f"has {len(text)} bytes: use at most {MOST}")
    end = _EMPTY_LINE.search(text)
    if end is None:
        raise PageError("has no empty line after its header: put one there")
    first, *rest = text[: end.start()].replace(b"\r\n", b"\n").split(b"\n")
    line = _STATUS_LINE(first)
    if line is None:
        raise PageError(f"does not begin with a status line such as HTTP/1.0 {status} Sorry")
    if int(line[1]) != status:
        raise PageError(f"has the status {line[1].decode()}: make it {status}, as its key says")
    fields = []
    for number, field in enumerate(rest, 2):
        match = _FIELD(field)
        if match is None:
            raise PageError(f"has a malformed header in its line {number}: write name: value")
        if match[1].lower() not in _OURS:
            fields.append(match[1] + b": " + match[2].strip(b" \t") + b"\r\n")
    head = b"HTTP/1.1 " + line[1] + b" " + (line[2] or b"") + b"\r\n" + b"".join(fields)
    return ErrorPage(status, head, text[end.end() :])


def read_pages(texts: Mapping[str, str]) -> dict[int, ErrorPage]:
    """Read pages by status, each known to be in order."""
    return {int(status): read_page(text.encode(), int(status)) for status, text in texts.items()}
