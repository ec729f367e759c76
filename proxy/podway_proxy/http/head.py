"""From the bytes of a request head to a `Request`: refusals first, then httptools, then h11.

A head that one strict expression matches, and whose only notable fields are one Host and at most
one usual Connection, has nothing in it that a parser could still decide: it becomes a `Common` at
once. httptools reads the others; what it does not know (a method outside its list) h11 reads. All
three give the same `Request` (tests/property/test_http_head.py), and neither parser is asked about
a head that our own rules refuse.
"""

from __future__ import annotations

import re
from contextlib import suppress

import httptools

from podway_proxy.http.authority import split_authority
from podway_proxy.http.refuse import FIELDS, Notable, Refusal, common, judge, scan
from podway_proxy.http.request import CUT, KEEP, USUAL, Common, Request

_ONE = ord("1")
_NOTHING = (b"", b"")


class _Target:
    """What httptools calls back: the target only; fields come from the one scan in refuse."""

    target = b""

    def on_url(self, url: bytes) -> None:
        """Take (a part of) the target."""
        self.target += url


def read_head(head: bytes, fields: int = FIELDS) -> Request | Refusal:
    """Read a whole request head, from its first byte to the empty line.

    `fields` is the most field lines allowed. Bytes outside RFC 9112's grammar, and all that
    `refuse` names, come back as a `Refusal`; nothing is raised.
    """
    found: Notable = scan(head.lower())
    match = common(head)
    few = fields >= FIELDS or head.count(b"\n") - 2 <= fields  # the expression takes no more
    if match is not None and few:
        request = common_of(head, match, found)
        if request is not None:
            return request
    refusal = judge(head, found, fields)
    if refusal is not None:
        return refusal
    return _fast(head, found) or _slow(head, found)


def common_of(head: bytes, match: re.Match[bytes], found: Notable) -> Common | None:
    """Give the request of a head that `common` matches as `match`, if there is nothing to decide.

    `found` are its notable fields.
    """
    if len(found) > 2:
        return None
    keep_alive, rewrite = True, KEEP
    name, value = found[0] if found else _NOTHING
    if len(found) == 2:
        if name == b"host":
            connection, usual = found[1]
        else:
            (connection, usual), (name, value) = found
        keep_alive, rewrite = usual != b"close", CUT
        if connection != b"connection" or usual not in USUAL:
            return None
    named = value.rstrip()
    authority = split_authority(named) if name == b"host" else None
    if authority is None:
        return None
    method, target, path = match.groups()
    return Common(head, method, target, path, authority[0], named, found, keep_alive, rewrite)


def _fast(head: bytes, found: Notable) -> Request | None:
    """Read with httptools. None: it does not take this head; the slow path has the last word."""
    sink = _Target()
    parser = httptools.HttpRequestParser(sink)
    try:
        # A wish for an upgrade is raised when the head is read; it stands in the fields, too.
        with suppress(httptools.HttpParserUpgrade):
            parser.feed_data(head)
    except httptools.HttpParserError:
        return None
    method, target = parser.get_method(), sink.target
    # `METHOD target HTTP/1.x`: where the parser found those two, the version's digit follows.
    modern = head[len(method) + len(target) + 9] == _ONE
    return Request(head, method, target, modern, found)


def _slow(head: bytes, found: Notable) -> Request | Refusal:
    """Read with h11, which knows any method."""
    import h11  # only here: few requests need it, and each worker's start would pay for it

    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=len(head))
    try:
        connection.receive_data(head)
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        return Refusal(error.error_status_hint, f"not a proper HTTP request: {error}")
    if not isinstance(event, h11.Request):
        return Refusal(400, "this is not a whole request head")
    modern = bytes(event.http_version) == b"1.1"
    return Request(head, bytes(event.method), bytes(event.target), modern, found)
