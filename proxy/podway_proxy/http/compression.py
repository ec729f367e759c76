"""Whether an answer is compressed on its way to the client, and its head if so. Pure.

As HAProxy 2.6 does with `compression algo gzip` and `compression type`, checked against it
(tests/live/test_router_compression.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from podway_proxy.http.request import CHUNKED, Request
from podway_proxy.http.response import Response

_ASKED = re.compile(rb"(?i)\naccept-encoding:([^\r]*)").findall
_REFUSED = re.compile(rb"(?i)[\t ]*q[\t ]*=[\t ]*0(?:\.0*)?[\t ]*").fullmatch
"""The one weight that says no (RFC 9110 section 12.4.2)."""
_DECIDES = re.compile(
    rb"(?i)\n(content-type|content-encoding|cache-control|etag):[\t ]*+([^\r]*)"
).findall
_ETAG = re.compile(rb'(?:W/)?"[^"]*"').fullmatch
_STRONG = re.compile(rb'(?i)(?<=\n)(etag:[\t ]*+)(?=")').sub
_LENGTH = re.compile(rb"(?i)(?<=\n)content-length:[^\r]*\r\n").sub

STATUSES = range(200, 204)
"""Answers that bring what was asked for, whole."""
_ADDED = b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
_CHUNKS = b"Transfer-Encoding: chunked\r\n"

Fits = Callable[[Request, Response], bool]
Suits = Callable[[bytes], bool]


def accepts_gzip(head: bytes) -> bool:
    """Tell whether a request's Accept-Encoding fields let the answer come as gzip.

    `gzip` itself decides where it is named, else `*` does (RFC 9110 section 12.5.3).
    """
    anything = False
    for element in b",".join(_ASKED(head)).split(b","):
        coding, *parameters = element.split(b";")
        coding = coding.strip().lower()
        allowed = not any(map(_REFUSED, parameters))
        if coding == b"gzip":
            return allowed
        if coding == b"*":
            anything = allowed
    return anything


def fits(request: Request, response: Response) -> bool:
    """Tell whether an answer of this kind to this request may be compressed at all.

    Both sides speak HTTP/1.1 (it goes on in chunks), and its end is known: an answer that ends
    with its connection could not be told from one that broke off.
    """
    length = response.length
    return (
        response.status in STATUSES
        and (length > 0 or length == CHUNKED)
        and response.modern
        and request.modern
        and accepts_gzip(request.head)
    )


def suits(types: Iterable[str]) -> Suits:
    """Give what tells whether an answer's head is one of those types, and free to be changed.

    A type matches what begins with it, whatever its parameters; `text/*` any text.
    """
    prefixes = tuple(name.lower().removesuffix("*").encode() for name in types)

    def judge(head: bytes) -> bool:
        kind, tags = b"", 0
        for field, text in _DECIDES(head):
            name, value = field.lower(), text.strip()
            if name == b"content-type":
                kind = kind or value.lower()
            elif name == b"etag":
                tags += 1
            if _forbids(name, value):
                return False
        return tags < 2 and kind.startswith(prefixes) and not kind.startswith(b"multipart")

    return judge


def _forbids(name: bytes, value: bytes) -> bool:
    if name == b"content-encoding":
        return True
    if name == b"etag":
        return _ETAG(value) is None
    directives = {word.strip() for word in value.lower().split(b",")}
    return name == b"cache-control" and b"no-transform" in directives


def encoded(head: bytes, length: int) -> bytes:
    """Make the head of the compressed answer; `length` is the original's, or CHUNKED.

    Other bytes than the original's have no strong validator in common with it: the ETag becomes a
    weak one (RFC 9110 section 8.8.1).
    """
    head = _STRONG(rb"\1W/", _LENGTH(b"", head))
    return head[:-2] + _ADDED + (b"" if length == CHUNKED else _CHUNKS) + b"\r\n"
