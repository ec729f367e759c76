"""What `podway up` writes: the children's lines, each with its source in front, in its colour."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

_COLOURS = ("36", "33", "93", "32", "92", "35", "34", "95")
"""ANSI colours by source: readable on dark and on light ground; red is left to errors."""
LINE_MOST = 65_536
"""A line longer than this is passed on in parts."""


class Screen:
    """Writes whole lines; prefixes and colours only where a person looks on."""

    def __init__(self, out: TextIO, *, colour: bool, width: int = 10, quiet: bool = False) -> None:
        self._out = out
        self._colour = colour
        self._width = width
        self._quiet = quiet
        self._sources: dict[str, str] = {}
        self._partial: dict[str, bytes] = {}

    def say(self, text: str = "") -> None:
        """Write a line of podway's own."""
        self._write(text + "\n")

    def strong(self, text: str) -> str:
        """Give `text` in bold, where there are colours."""
        return f"\x1b[1m{text}\x1b[0m" if self._colour else text

    def dim(self, text: str) -> str:
        """Give `text` in grey, where there are colours."""
        return f"\x1b[2m{text}\x1b[0m" if self._colour else text

    def good(self, text: str) -> str:
        """Give `text` in green, where there are colours."""
        return f"\x1b[1;32m{text}\x1b[0m" if self._colour else text

    def bad(self, text: str) -> str:
        """Give `text` in red, where there are colours."""
        return f"\x1b[1;31m{text}\x1b[0m" if self._colour else text

    def pass_on(self, source: str, data: bytes, *, end: bool = False) -> None:
        """Write the complete lines of what `source` said; keep the rest until it is complete."""
        data = self._partial.pop(source, b"") + data
        lines = data.split(b"\n")
        rest = lines.pop()
        if end or len(rest) > LINE_MOST:
            lines.append(rest)
        elif rest:
            self._partial[source] = rest
        written = [self._prefixed(source, line) for line in lines if line.strip()]
        if written and not self._quiet:
            self._write("".join(written))

    def _prefixed(self, source: str, line: bytes) -> str:
        text = line.decode("utf-8", "replace").rstrip("\r")
        return f"{self._label(source)} {text}\n"

    def _label(self, source: str) -> str:
        label = self._sources.get(source)
        if label is None:
            label = f"{source:<{self._width}}│"
            if self._colour:
                label = f"\x1b[{_COLOURS[len(self._sources) % len(_COLOURS)]}m{label}\x1b[0m"
            self._sources[source] = label
        return label

    def _write(self, text: str) -> None:
        # The terminal or the reader of a pipe may have gone; the lab goes on and stops in order.
        with contextlib.suppress(BrokenPipeError):
            self._out.write(text)
            self._out.flush()


def has_colour(out: TextIO) -> bool:
    """Tell whether to colour: a terminal, and the user has not set NO_COLOR (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def screen(*, width: int, quiet: bool) -> Screen:
    """Give the screen of standard output."""
    return Screen(sys.stdout, colour=has_colour(sys.stdout), width=width, quiet=quiet)
