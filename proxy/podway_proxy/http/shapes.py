"""Strict expressions for heads whose field names come again and again, in their order.

`refuse.common` and `response.common` take any head, so they look at every name's letters, and a
request's names are looked at once more. Where the same names come in the same order (as a browser
or a library sends them), one expression with these names in it proves as much in 40 % of the time.
What a shape matches is a part of what the general expression matches, with the same captures
(tests/property/test_http_shapes.py); what it does not match goes to the general one.

A shape is made when its names were met `OFTEN` times; it costs 0.5 ms, some fifteen requests'
worth. Values are never remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from podway_proxy.http.refuse import VALUE

Matcher = Callable[[bytes], re.Match[bytes] | None]

EACH: Final = 16
"""One head in so many is looked at, of those that no shape matched."""
OFTEN: Final = 4
"""How often a shape must have been looked at."""
FIELDS: Final = 40
"""Fields of a shape at most."""
KEPT: Final = 64
"""Shapes at most, of one kind and front; then it begins anew."""

_NAMES = re.compile(rb"\n([^:\r]++):").findall
_REQUEST_LINE: Final = rb"GET /[!\"$->@-~]*+(?:\?[!-\"$-~]*+)? HTTP/1\.1\r\n"
_STATUS_LINE: Final = rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: " + VALUE + rb"*+)?\r\n"
_HOST: Final = rb"Host: ([0-9a-z_.:\[\]-]++)\r\n"
_LENGTH: Final = rb":[\t ]*+([0-9]{1,18})\r\n"
_KEPT: Final = rb"(Connection: keep-alive\r\n)"
_LINE: Final = b":" + VALUE + rb"*+\r\n"


class Shape(NamedTuple):
    """Heads with certain names."""

    match: Matcher
    """Of a request the whole head, with the Host captured; of an answer as `response.common`."""
    cut: bytes = b""
    """Of a request: its usual Connection line with the CRLF before it; empty: it has none."""


class Shapes:
    """The shapes of one kind, requests or answers."""

    __slots__ = ("_made", "_make", "_seen", "_turn", "recent")

    def __init__(self, make: Callable[[list[bytes], bytes], Shape | None]) -> None:
        self._make = make
        self._made: dict[tuple[bytes, ...], Shape | None] = {}
        self._seen: dict[tuple[bytes, ...], int] = {}
        self._turn = 0
        self.recent: Shape | None = None
        """The one that was found last."""

    def find(self, head: bytes, cut: bytes = b"") -> Shape | None:
        """Give the shape of a head that the general expression matched, now and then."""
        self._turn += 1
        if self._turn % EACH:
            return None
        names = _NAMES(head)
        key = (cut, *names)
        if key in self._made:
            self.recent = self._made[key]
        elif self._often(key):
            self.recent = self._made[key] = self._make(names, cut) if len(names) <= FIELDS else None
        else:
            return None
        return self.recent

    def _often(self, key: tuple[bytes, ...]) -> bool:
        if len(self._seen) >= KEPT:
            self._seen.clear()
        if len(self._made) >= KEPT:
            self._made.clear()
        count = self._seen[key] = self._seen.get(key, 0) + 1
        if count >= OFTEN:
            del self._seen[key]
        return count >= OFTEN


def of_request(names: list[bytes], cut: bytes) -> Shape | None:
    """Make the shape of GET requests with these fields, of which one is Host, as usually spelt.

    `cut`: the Connection line with its CRLF before it, if there is one.
    """
    if names.count(b"Host") != 1:
        return None
    own = {b"Host": _HOST, b"Connection": re.escape(cut[2:])}
    lines = (own.get(name) or re.escape(name) + _LINE for name in names)
    return Shape(re.compile(_REQUEST_LINE + b"".join(lines) + rb"\r\n").fullmatch, cut)


def of_answer(names: list[bytes], _: bytes) -> Shape | None:
    """Make the shape of answers with these fields, as `response.common` takes them."""
    lines = []
    for name in names:
        lowered = name.lower()
        if lowered == b"content-length":
            lines.append(re.escape(name) + _LENGTH)
        elif lowered == b"connection":
            lines.append(_KEPT)
        else:
            lines.append(re.escape(name) + _LINE)
    if _KEPT not in lines:
        lines.append(_KEPT + b"?")
    return Shape(re.compile(_STATUS_LINE + b"".join(lines) + rb"\r\n").match)
