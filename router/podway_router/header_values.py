"""Values of header actions: text with `%[…]` in it, compiled once, filled for each head. Pure.

The grammar is the API's (route/v1 and operator/v1, `…HTTPHeaderActions`): literals, `%%` for `%`,
and `%[req.hdr(X)]`, `%[res.hdr(X)]` or `%[ssl_c_der]`, with any number of `,lower` and `,base64`
and, in front of the bracket, HAProxy's flags in braces. What each gives was read off HAProxy 2.6.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from podway_proxy.http.fields import last_value, mark

MOST = 64
"""Parts that are fetched for one value: each costs a look at the whole head."""
_PIECE = re.compile(
    r"%(?:(?P<percent>%)|(?:\{(?P<flags>[-+QXE,]*)\})?"
    r"\[(?:re[qs]\.hdr\((?P<name>[0-9A-Za-z-]+)\)|ssl_c_der)(?P<converters>(?:,(?:lower|base64))*)\])"
    r"|(?P<text>[^%\x00-\x1f\x7f]+)"
)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").sub
_ESCAPED = re.compile(rb'(["\\\]])').sub
_KEPT = 256
"""Certificates of which a value is remembered."""


class Fetch(NamedTuple):
    """A part of a value that comes from a head or from the client's certificate."""

    mark: bytes
    """Which field's last value; empty: the client's certificate in DER."""
    converters: tuple[str, ...] = ()
    """`lower` and `base64`, in the order in which they act."""
    escapes: bool = False
    """Flag E: a backslash in front of quotes, backslashes and `]`. The flags Q and X change
    nothing in header fields, in HAProxy either."""

    def filler(self) -> Fill:
        """Give what fetches: (head, `low`, certificate) → what goes into the value."""
        wanted, converters, escaped = self
        if not wanted:
            return lambda head, low, certificate: _of_certificate(certificate, converters, escaped)
        if not (converters or escaped):
            return lambda head, low, certificate: last_value(head, low, wanted)

        def fill(head: bytes, low: bytes, certificate: bytes) -> bytes:
            value = _converted(last_value(head, low, wanted), converters)
            return _ESCAPED(rb"\\\1", value) if escaped else value

        return fill


Fill = Callable[[bytes, bytes, bytes], bytes]
Piece = bytes | Fetch
"""A literal, or what is fetched."""


def pieces(text: str) -> tuple[Piece, ...]:
    """Compile a value. Raises ValueError, saying why, where that can't be."""
    found: list[Piece] = []
    at = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None:
            raise ValueError(f"{text[at : at + 20]!r} is not understood")
        _add(found, _piece(match))
        at = match.end()
    if sum(isinstance(piece, Fetch) for piece in found) > MOST:
        raise ValueError(f"has more than {MOST} parts that are fetched")
    return tuple(found)


def _piece(match: re.Match[str]) -> Piece:
    if match["percent"]:
        return b"%"
    if match["text"]:
        return match["text"].encode("utf-8", "replace")
    wanted = mark(match["name"].encode()) if match["name"] else b""
    converters = tuple(match["converters"].split(",")[1:])
    return Fetch(wanted, converters, escapes(match["flags"] or ""))


def _add(found: list[Piece], piece: Piece) -> None:
    """Put a piece behind the others; literals are joined."""
    last = found[-1] if found else None
    if isinstance(piece, bytes) and isinstance(last, bytes):
        found[-1] = last + piece
    else:
        found.append(piece)


def escapes(flags: str) -> bool:
    """Tell whether flags such as `+Q,-E` end with E on; a flag without a sign is on."""
    on = False
    for flag in flags.split(","):
        if flag[-1:] == "E":
            on = flag[0] != "-"
    return on


def _converted(value: bytes, converters: tuple[str, ...]) -> bytes:
    for converter in converters:
        value = b2a_base64(value, newline=False) if converter == "base64" else value.lower()
    return value


@lru_cache(_KEPT)
def _of_certificate(certificate: bytes, converters: tuple[str, ...], escapes: bool) -> bytes:
    if converters[:1] != ("base64",):
        certificate = certificate.partition(b"\0")[0]  # taken for text, which ends there
    value = printable(_converted(certificate, converters))
    return _ESCAPED(rb"\\\1", value) if escapes else value


def printable(value: bytes) -> bytes:
    """Make bytes fit for a field as HAProxy does: controls as `%0D`."""
    return _CONTROL(_hexadecimal, value)


def _hexadecimal(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]
