"""HAProxy's converters, as far as log lines have a use for them. Pure.

Each takes a text whose characters are bytes (Latin-1) and gives one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, unquote_to_bytes

Convert = Callable[[str], str]
SAFE = frozenset(("json", "base64", "hex", "url_enc", "length"))
"""What they give can't break out of a line or of quotes; only control characters are escaped."""
_ENCODINGS = ("ascii", "utf8", "utf8s", "utf8p", "utf8ps")


class ConverterError(ValueError):
    """The message says what is wrong."""


def converter(name: str, arguments: list[str]) -> Convert:
    """Give a converter. Raises ConverterError."""
    simple = _SIMPLE.get(name)
    if simple is not None:
        return simple
    made = _MADE.get(name)
    if made is None:
        known = ", ".join(sorted((*_SIMPLE, *_MADE)))
        raise ConverterError(f"converter {name!r} is not known: use one of {known}")
    try:
        return made(arguments)
    except (ValueError, IndexError):
        raise ConverterError(f"converter {name}: its arguments are not understood") from None


def _json(arguments: list[str]) -> Convert:
    encoding = arguments[0] if arguments and arguments[0] else "ascii"
    if encoding not in _ENCODINGS:
        raise ValueError(encoding)
    if encoding == "ascii":
        return lambda text: json.dumps(text)[1:-1]

    def convert(text: str) -> str:
        # Invalid UTF-8 is left out, as the modes with an s do; the others stop there.
        return json.dumps(text.encode("latin-1", "replace").decode("utf-8", "ignore"))[1:-1]

    return convert


def _bytes(arguments: list[str]) -> Convert:
    begin = int(arguments[0])
    end = begin + int(arguments[1]) if len(arguments) > 1 and arguments[1] else None
    return lambda text: text[begin:end]


def _field(arguments: list[str]) -> Convert:
    index, separator = int(arguments[0]), arguments[1]
    if not separator or not index:
        raise ValueError(arguments)

    def convert(text: str) -> str:
        return _pick(text.split(separator[0]), index)

    return convert


def _word(arguments: list[str]) -> Convert:
    index, separator = int(arguments[0]), arguments[1]
    if not separator or not index:
        raise ValueError(arguments)

    def convert(text: str) -> str:
        return _pick([word for word in text.split(separator[0]) if word], index)

    return convert


def _pick(parts: list[str], index: int) -> str:
    """Give a part counted from 1, or from the end with a negative number."""
    at = index - 1 if index > 0 else len(parts) + index
    return parts[at] if 0 <= at < len(parts) else ""


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")


_SIMPLE: dict[str, Convert] = {
    "base64": lambda text: base64.b64encode(_latin(text)).decode(),
    "hex": lambda text: _latin(text).hex().upper(),
    "length": lambda text: str(len(text)),
    "lower": lambda text: _latin(text).lower().decode("latin-1"),
    "upper": lambda text: _latin(text).upper().decode("latin-1"),
    "url_dec": lambda text: unquote_to_bytes(_latin(text)).decode("latin-1"),
    "url_enc": lambda text: quote(_latin(text), safe=""),
}
_MADE: dict[str, Callable[[list[str]], Convert]] = {
    "bytes": _bytes,
    "field": _field,
    "json": _json,
    "word": _word,
}
