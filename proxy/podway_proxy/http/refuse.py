"""Our own refusals: what no request head may hold, whatever a parser would make of it.

One pure function on the raw head stands in front of every parser, because the parsers differ: one
takes folded lines and bare LF, another two Hosts. What is refused here no path accepts
(reference/limits.md, refusals 1 to 8).

The well-formed case costs one `fullmatch` and one scan for the few fields that matter; only a
refused head is looked at again, to say what is wrong with it. `common` matches a part of what is
well-formed, which the fast path in `head` needs no other rule for than its own few.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from podway_proxy.http.authority import split_authority

FIELDS = 100
"""Most field lines in a head, unless the caller says otherwise (limits.head_fields)."""

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
"""One tchar, RFC 9110 section 5.6.2."""

VALUE = rb"[\t\x20-\x7e\x80-\xff]"
"""One byte of a field value: VCHAR, obs-text, SP, HTAB (RFC 9110 section 5.5)."""

FIELD_LINES = rb"(?:" + TOKEN + rb"++:" + VALUE + rb"*+\r\n)*+"
"""Any number of field lines; a folded line is none, as it does not begin with a token."""

_TARGET = rb'[!-"$-~]'
"""Visible ASCII but `#`: a fragment is never sent (RFC 9112 section 3.2)."""

_SYNTAX = re.compile(
    TOKEN + rb"++ " + _TARGET + rb"++ HTTP/1\.[01]\r\n" + FIELD_LINES + rb"\r\n"
).fullmatch

common = re.compile(
    rb"(?!CONNECT )("
    + TOKEN
    + rb"++) ((/[!\"$->@-~]*+)(?:\?[!-\"$-~]*+)?) HTTP/1\.1\r\n"
    + FIELD_LINES.removesuffix(b"*+")
    + b"{0,%d}+\r\n" % FIELDS
).fullmatch
"""The common request: a path asked for over HTTP/1.1, with at most `FIELDS` fields. Captures
method, target and path."""

_LINE = re.compile(TOKEN + rb"++ (" + _TARGET + rb"++) HTTP/1\.([01])").fullmatch
_VERSION = re.compile(TOKEN + rb"++ [^ ]++ HTTP/[0-9](?:\.[0-9])?").fullmatch
_FIELD = re.compile(TOKEN + rb"++:" + VALUE + rb"*+").fullmatch
_NAME = re.compile(TOKEN + rb"++").fullmatch
_LENGTH = re.compile(rb"[0-9]{1,18}").fullmatch
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)(?=.)", re.DOTALL).search
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?]*)").match

scan = re.compile(
    rb"\n(host|content-length|transfer-encoding|connection|expect|upgrade|te|keep-alive"
    rb"|proxy-connection|proxy|http2-settings|forwarded|x-forwarded-(?:for|host|port|proto)"
    rb"|x-ssl[^:\r]*):[\t ]*+([^\r]*)"
).findall

Notable = list[tuple[bytes, bytes]]
"""The fields that decide anything, in order: (name, value), both in lower case."""


class Refusal(NamedTuple):
    """Why a head is not served: an HTTP status and a sentence without the peer's raw bytes."""

    status: int
    reason: str


def notable(head: bytes) -> Notable:
    """Find the fields that decide framing, routing and rewriting in a well-formed head."""
    found: Notable = scan(head.lower())
    return found


def refuse(head: bytes, fields: int = FIELDS) -> Refusal | None:
    """Judge a whole request head, from its first byte to the empty line. None: nothing to refuse.

    `fields` is the most field lines allowed.
    """
    return judge(head, notable(head), fields)


def judge(head: bytes, found: Notable, fields: int = FIELDS) -> Refusal | None:
    """Do what `refuse` does, for a caller that has `notable(head)` at hand."""
    if head.count(b"\n") - 2 > fields:
        return _too_many(fields)
    if _SYNTAX(head) is None:
        return _syntax(head)
    method, target, rest = head.split(b" ", 2)
    modern = rest[7:8] == b"1"
    hosts = [value for name, value in found if name == b"host"]
    return (
        _host(hosts, modern)
        or (None if target[:1] == b"/" else _target(method, target, hosts))
        or (None if len(found) == 1 else _framing(found, modern))
        or (_connect() if method == b"CONNECT" else None)
    )


def refuse_beginning(data: bytes, head_bytes: int, fields: int = FIELDS) -> Refusal | None:
    """Judge the beginning of a head whose end has not come yet. None: more may follow.

    Tells as early as it can, so that neither a head without end nor another protocol is buffered.
    """
    if len(data) > head_bytes:
        return Refusal(431, f"the request head is longer than {head_bytes} bytes")
    if data.count(b"\n") - 1 > fields:
        return _too_many(fields)
    if data and not _NAME(data[:1]):
        return Refusal(400, "this is not HTTP: a request begins with a method")
    if _BARE(data):
        return _bare()
    return None


def _too_many(fields: int) -> Refusal:
    return Refusal(431, f"the request head has more than {fields} fields")


def _connect() -> Refusal:
    return Refusal(405, "CONNECT is for forward proxies; this is not one")


def _bare() -> Refusal:
    return Refusal(400, "a line ends in a bare CR or LF")


def _syntax(head: bytes) -> Refusal:
    """Say what is wrong with a head that does not match the grammar."""
    if _BARE(head):
        return _bare()
    line, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if not _LINE(line):
        return _request_line(line)
    bad = next((field for field in fields if not _FIELD(field)), b"")
    return Refusal(400, _field_reason(bad))


def _request_line(line: bytes) -> Refusal:
    if _VERSION(line) and not line.endswith((b" HTTP/1.1", b" HTTP/1.0")):
        return Refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    if line.startswith(b"CONNECT "):
        return _connect()
    if b"#" in line:
        return Refusal(400, "the target holds a '#'")
    return Refusal(400, "the request line is not `METHOD target HTTP/1.1`")


def _field_reason(field: bytes) -> str:
    name, colon, _ = field.partition(b":")
    if field[:1] in (b" ", b"\t"):
        return "a field is folded over two lines"
    if not colon:
        return "a field line has no colon"
    if not name:
        return "a field has no name"
    if name != name.rstrip():
        return "there is space between a field's name and its colon"
    if not _NAME(name):
        return "a field's name holds a byte that names can't have"
    return "a field's value holds a control byte"


def _host(hosts: list[bytes], modern: bool) -> Refusal | None:
    if len(hosts) == 1:
        if split_authority(hosts[0].rstrip()) is None:
            return Refusal(400, "Host is not one host name or address with an optional port")
        return None
    if hosts:
        return Refusal(400, "there is more than one Host")
    return Refusal(400, "there is no Host") if modern else None


def _target(method: bytes, target: bytes, hosts: list[bytes]) -> Refusal | None:
    """Judge a target that is not a path: `*`, an absolute URI, or neither."""
    if method == b"CONNECT":
        return _connect()
    if target == b"*":
        return None if method == b"OPTIONS" else Refusal(400, "the target `*` is for OPTIONS only")
    absolute = _ABSOLUTE(target)
    if not absolute:
        return Refusal(400, "the target is neither a path nor an http URI")
    named = split_authority(absolute[1].lower())
    if named is None:
        return Refusal(400, "the target's authority is not one host with an optional port")
    if hosts and split_authority(hosts[0].rstrip()) != named:
        return Refusal(400, "the target names another host than Host does")
    return None


def _framing(found: Notable, modern: bool) -> Refusal | None:
    lengths = [value.rstrip() for name, value in found if name == b"content-length"]
    codings = [value.rstrip() for name, value in found if name == b"transfer-encoding"]
    if any(not _LENGTH(value) for value in lengths):
        return Refusal(400, "Content-Length is not a plain decimal number")
    if len(set(lengths)) > 1:
        return Refusal(400, "there are differing Content-Lengths")
    if codings and lengths:
        return Refusal(400, "there are both Content-Length and Transfer-Encoding")
    if codings and codings != [b"chunked"]:
        return Refusal(400, "Transfer-Encoding is not just `chunked`")
    if codings and not modern:
        return Refusal(400, "HTTP/1.0 has no Transfer-Encoding")
    return None
