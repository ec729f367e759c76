"""Captured headers and cookies (`httpCaptureHeaders`, `httpCaptureCookies`). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

MOST_PATTERNS = 256
"""Expressions kept for header names: those that formats and captures name."""


class Captures(NamedTuple):
    """What is captured of each request and its answer; sizes in bytes."""

    request: tuple[tuple[str, int], ...] = ()
    """(name, most bytes) in the order in which they are written."""
    response: tuple[tuple[str, int], ...] = ()
    cookie: tuple[str, int] | None = None
    """(how `name=value` begins, most bytes): `session=` is exact, `session` a prefix."""


@lru_cache(MOST_PATTERNS)
def _pattern(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?i)\n" + re.escape(name.encode("latin-1", "replace")) + rb":([^\r\n]*)")


def lines(head: bytes, name: str) -> list[str]:
    """Give all values of a header field, in their order."""
    return [value.strip(b" \t").decode("latin-1") for value in _pattern(name).findall(head)]


def last_line(head: bytes, name: str) -> str | None:
    """Give the last value of a header field."""
    found = lines(head, name)
    return found[-1] if found else None


def captured(head: bytes, wanted: Iterable[tuple[str, int]]) -> list[str]:
    """Give the wanted fields, each cut to its length; empty where there is none."""
    return [(last_line(head, name) or "")[:most] for name, most in wanted]


def request_cookie(head: bytes, wanted: tuple[str, int] | None) -> str:
    """Give the first cookie that matches as `name=value`, cut to its length; else empty."""
    if wanted is None:
        return ""
    pairs = (pair.strip() for line in lines(head, "cookie") for pair in line.split(";"))
    return _first(pairs, wanted)


def response_cookie(head: bytes, wanted: tuple[str, int] | None) -> str:
    """Give the first Set-Cookie that matches likewise."""
    if wanted is None:
        return ""
    return _first((line.split(";")[0].strip() for line in lines(head, "set-cookie")), wanted)


def cookie_value(head: bytes, field: str, name: str) -> str | None:
    """Give the value of the first cookie of that name in `cookie` or `set-cookie` fields."""
    for line in lines(head, field):
        pairs = line.split(";") if field == "cookie" else line.split(";")[:1]
        for pair in pairs:
            key, sign, value = pair.strip().partition("=")
            if sign and key == name:
                return value
    return None


def _first(pairs: Iterable[str], wanted: tuple[str, int]) -> str:
    begins, most = wanted
    return next((pair[:most] for pair in pairs if pair.startswith(begins)), "")
