"""Fields of a head: found, taken out, renamed. Pure functions on the head's bytes.

A head is what this engine hands on: from the first byte to the empty line, well-formed, no line
folded. `low` is always the same head in lower case; lowering keeps every offset, so that a field is
found there, whatever case it came in, and cut out of both. A mark is what a field's line begins
with, behind the end of the line before it (`mark`).
"""

from __future__ import annotations

import re

END = b"\r\n"
_QUOTED = re.compile(rb'"[^"\\]*(?:\\(?:.|\Z)[^"\\]*)*(?:"|\Z)', re.DOTALL).sub
"""A quoted string, or what begins one and never ends it (RFC 9110 section 5.6.4)."""


def mark(name: bytes) -> bytes:
    """Give the mark of a field's name."""
    return b"\r\n" + name.lower() + b":"


def last_value(head: bytes, low: bytes, wanted: bytes) -> bytes:
    """Give the last of a field's values as HAProxy's `req.hdr(name)` does; empty without the field.

    Values are parted by commas outside quotes, in whatever field; space around them is no part.
    """
    at = low.rfind(wanted)
    if at < 0:
        return b""
    at += len(wanted)
    value = head[at : head.index(END, at)]
    if b"," in value:
        plain = _QUOTED(_blank, value) if b'"' in value else value
        value = value[plain.rfind(b",") + 1 :]
    return value.strip(b" \t")


def without(head: bytes, low: bytes, wanted: bytes) -> tuple[bytes, bytes]:
    """Give head and `low` without any line of this field."""
    at = low.find(wanted)
    while at >= 0:
        end = low.index(END, at + 2)
        head, low = head[:at] + head[end:], low[:at] + low[end:]
        at = low.find(wanted, at)
    return head, low


def renamed(head: bytes, low: bytes, wanted: bytes, name: bytes) -> bytes:
    """Give the head with this field's name written so; the same one in another case."""
    at = low.find(wanted)
    while at >= 0:
        start = at + 2
        head = head[:start] + name + head[start + len(name) :]
        at = low.find(wanted, start)
    return head


def with_lines(head: bytes, lines: bytes) -> bytes:
    """Give the head with these lines, each with its CRLF, behind all others."""
    return head[:-2] + lines + END


def _blank(quoted: re.Match[bytes]) -> bytes:
    return b"_" * len(quoted[0])
