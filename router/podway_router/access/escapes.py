"""How text of clients and pods is written so that it can't pass for something else. Pure.

HAProxy's way (its configuration manual, section 8.6): `#` and two hexadecimal digits.
"""

from __future__ import annotations

import re

PLAIN = re.compile(r"[ !$-\[^-~]*").fullmatch
"""Tells a text of which nothing is escaped in any form: the usual one. A third of the cost."""
_TEXT = re.compile(r'["#]|[^ -~]')
_HEADER = re.compile(r'["#{|}]|[^ -~]')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_QUOTED = re.compile(r'["\\\]]')


def escaped(text: str) -> str:
    """Escape quotes, `#` and what is not printable ASCII."""
    return _TEXT.sub(_hexadecimal, text)


def header_escaped(text: str) -> str:
    """Escape what stands between captured headers, too: braces and bars."""
    return _HEADER.sub(_hexadecimal, text)


def control_escaped(text: str) -> str:
    """Escape control characters alone: no line can begin where none should."""
    return _CONTROL.sub(_hexadecimal, text)


def backslashed(text: str) -> str:
    r"""Put a backslash before quotes, backslashes and `]`, as RFC 5424 section 6.3.3 wants them."""
    return control_escaped(_QUOTED.sub(r"\\\g<0>", text))


def _hexadecimal(found: re.Match[str]) -> str:
    """Give the bytes of a character: beyond Latin-1 those of UTF-8."""
    character = found[0]
    data = character.encode("latin-1" if ord(character) < 256 else "utf-8", "replace")
    return "".join(f"#{byte:02X}" for byte in data)
