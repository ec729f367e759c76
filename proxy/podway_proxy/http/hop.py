"""What belongs to one hop only, taken out of a head on its way (RFC 9110 section 7.6.1).

Heads are rewritten in place: bytes that stay are not touched, so case and order survive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from podway_proxy.http.request import CHUNKED, CUT, KEEP, Request
from podway_proxy.http.response import Response

HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"upgrade",
        b"http2-settings",
        b"proxy",  # never real: it becomes HTTP_PROXY in a CGI's environment (httpoxy)
    )
)
"""Taken out of every request."""

KEPT = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
    )
)
"""Never taken out because a client names them in Connection: the framing, the host that was
routed by, and what this proxy says about the client."""

_TLS_CLIENT = b"x-ssl"
"""Fields in which a router tells the pod about a client's certificate; a client has no say."""

_LAST_HOP = re.compile(
    rb"(?i)(?<=\n)(?:connection|keep-alive|proxy-connection|upgrade):[^\r]*\r\n"
).sub
_CODING = re.compile(rb"(?i)(?<=\n)transfer-encoding:[^\r]*\r\n").sub
USUAL = b"\r\nConnection: keep-alive\r\n"
"""How nginx and others spell it: cut out without a regular expression."""
CLOSE = b"\r\nConnection: close"
"""What takes its place in a last answer."""
_END = b"\r\n\r\n"


def named_by_connection(request: Request) -> set[bytes]:
    """Give the fields that the client's Connection names, save those that are kept."""
    values = [value for name, value in request.notable if name == b"connection"]
    return {option.strip() for value in values for option in value.split(b",")} - KEPT


def outgoing(request: Request, forwarded: bytes, drop: Iterable[bytes] = ()) -> bytes:
    """Make the head that an endpoint gets.

    `forwarded`: whole field lines to add. `drop`: further names (lower-case) to take out.
    """
    if request.rewrite == KEEP and not drop:
        return request.head[:-2] + forwarded + b"\r\n"
    if request.rewrite == CUT and not drop:
        head = request.head
        start = head.find(b"\nConnection: ") + 1
        if not start:
            start = head.lower().find(b"\nconnection:") + 1  # lowering keeps every offset
        end = head.find(b"\n", start) + 1
        return head[:start] + head[end:-2] + forwarded + b"\r\n"
    return _rewritten(request, forwarded, frozenset(drop))


def _rewritten(request: Request, forwarded: bytes, drop: frozenset[bytes]) -> bytes:
    gone = HOP | named_by_connection(request) | drop
    lines = [request.method + b" " + request.target + b" HTTP/1.1"]
    seen_length = False
    for line in request.head[:-4].split(b"\r\n")[1:]:
        name = line.partition(b":")[0].lower()
        if name in gone or name.startswith(_TLS_CLIENT):
            continue
        if name == b"content-length":
            if seen_length:
                continue  # identical ones are merged
            seen_length = True
        lines.append(line)
    if not request.named:
        lines.append(b"Host: ")  # HTTP/1.0 without one; HTTP/1.1 needs the field, even empty
    if request.upgrade is not None:
        lines += [b"Connection: upgrade", b"Upgrade: " + request.upgrade]
    return b"\r\n".join(lines) + b"\r\n" + forwarded + b"\r\n"


def incoming(head: bytes, response: Response, *, keep_alive: bool, modern: bool) -> bytes:
    """Make the head of an answer that a client gets.

    `keep_alive`: more requests may follow; `modern`: the client speaks HTTP/1.1 (else a chunked
    body is unwrapped on its way).
    """
    if response.hop:
        short = head.replace(USUAL, b"\r\n", 1)
        head = _LAST_HOP(b"", head) if response.hop > 1 or len(short) == len(head) else short
    if not response.modern:
        head = b"HTTP/1.1" + head[8:]
    if response.length == CHUNKED and not modern:
        head = _CODING(b"", head)
    if response.interim or keep_alive is modern is True:
        return head
    return head[:-2] + (b"Connection: keep-alive" if keep_alive else b"Connection: close") + _END
