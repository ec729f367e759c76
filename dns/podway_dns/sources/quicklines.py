"""The plain lines of big zone files, read without dnspython: a proven subset of it.

`web 300 IN A 192.0.2.1`: an owner without escapes, A, AAAA or CNAME, on one line. 100,000 of them
take 2.5 s instead of 11.8 (CPU, on a busy machine). All other lines, and every line that is not
quite as expected, are dnspython's; a property test holds both against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from podway_dns import names
from podway_dns.names import BadNameError, Name
from podway_dns.records import AAAA, CNAME, A

_LINE = re.compile(
    r"([A-Za-z0-9_*.-]+)[ \t]+(?:([0-9]{1,9})[ \t]+)?(?:IN[ \t]+)?(A|AAAA|CNAME)[ \t]+"
    r"([A-Za-z0-9_*.:-]+)[ \t]*(?:;.*)?"
)
_ESCAPED = re.compile(r"\\.")
_QUOTED = re.compile(r'"[^"]*"')


class Line(NamedTuple):
    """A plain line's parts; `ttl` is empty where the line has none."""

    owner: str
    ttl: str
    kind: str
    data: str


class Run(NamedTuple):
    """Lines that follow each other: plain ones, or text for dnspython."""

    start: int
    """Number of the first line, from 0."""
    lines: tuple[Line, ...]
    text: str


def runs(text: str) -> Iterator[Run]:
    """Cut a text into runs.

    Lines inside parentheses are never plain; nor is what follows a quotation mark that its own
    line does not close.
    """
    plain: list[Line] = []
    other: list[str] = []
    depth = 0
    number = 0
    for number, line in enumerate(text.split("\n")):
        found = _LINE.fullmatch(line) if depth == 0 else None
        if found:
            if other:
                yield Run(number - len(other), (), "\n".join(other) + "\n")
                other = []
            plain.append(Line(found[1], found[2] or "", found[3], found[4]))
        else:
            if plain:
                yield Run(number - len(plain), tuple(plain), "")
                plain = []
            other.append(line)
            depth = _depth(line, depth)
    if plain:
        yield Run(number + 1 - len(plain), tuple(plain), "")
    if other:
        yield Run(number + 1 - len(other), (), "\n".join(other))


_NEVER = 1 << 20
"""Deeper than any line can close again: the rest is dnspython's."""


def _depth(line: str, depth: int) -> int:
    """Count the parentheses open after a line."""
    bare = _QUOTED.sub("", _ESCAPED.sub("", line))
    code = bare.partition(";")[0]
    if '"' in code:
        return _NEVER
    return max(0, depth + code.count("(") - code.count(")"))


def record(line: Line, origin: Name) -> tuple[Name, int, bytes] | None:
    """Give owner, type and RDATA; None where dnspython must have the word."""
    try:
        owner = names.from_text(line.owner, origin)
        if line.kind == "A":
            return owner, A, inet_pton(AF_INET, line.data)
        if line.kind == "AAAA":
            return owner, AAAA, inet_pton(AF_INET6, line.data)
        return owner, CNAME, names.from_text(line.data, origin)
    except (BadNameError, OSError):
        return None
