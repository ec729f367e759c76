"""The same fields again: what an earlier request said, behind another request line.

Clients repeat themselves: host, agent, cookies and the rest come again to the byte, on the same
connection and on the next, and only the request line differs (HPACK exists for that reason). A
block of fields that was read and judged once is then neither judged nor parsed again; only the
line is. The block must be that of a common request (HTTP/1.1, no body, nothing to rewrite but a
usual Connection), so that nothing in it depends on the line: tests/property/test_http_repeat.py
shows that this reads alike with `read_head`, whatever the line.
"""

from __future__ import annotations

import re

from podway_proxy.http.head import read_head
from podway_proxy.http.refuse import Refusal
from podway_proxy.http.request import CUT, NO_BODY, Request

BLOCKS = 512
"""Blocks remembered per front; then all are forgotten, which costs each client one reading."""
BLOCK_BYTES = 2048
"""Longest block remembered: with `TOLD`, a front's memory is bounded by 10 MB."""
TOLD = 8
"""Forms of one block remembered as endpoints get it: one per client and port."""

_LINE = re.compile(
    rb"(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) (/[!-\"$-~]*+) HTTP/1\.1\r\n"
).fullmatch
"""Methods without rules of their own, for a path, over HTTP/1.1; else the whole head is read."""


class Reader:
    """Reads heads for one front, and remembers the fields of common ones."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        self._blocks: dict[bytes, Request] = {}

    def read(self, head: bytes, fields: int) -> Request | Refusal:
        """Do what `read_head` does."""
        start = head.find(b"\n") + 1
        block = head[start:]
        known = self._blocks.get(block)
        if known is not None:
            found = _LINE(head, 0, start)
            if found is not None:
                return known.sibling(head, *found.groups())
        request = read_head(head, fields)
        if isinstance(request, Request) and repeatable(request) and len(block) <= BLOCK_BYTES:
            if len(self._blocks) >= BLOCKS:
                self._blocks.clear()
            request.told = {}
            self._blocks[block] = request
        return request


def repeatable(request: Request) -> bool:
    """Tell whether another line over the same fields would make a request of the same kind."""
    return request.modern and request.length == NO_BODY and request.rewrite <= CUT


def remember(request: Request, key: tuple[str, int, str], head: bytes) -> None:
    """Keep what follows the line in `head`, which an endpoint gets, for requests like this."""
    told = request.told
    if told is not None:
        if len(told) >= TOLD:
            told.clear()
        told[key] = head[head.find(b"\n") + 1 :]
