"""What `podway up` writes: the children's lines, each with its source in front, in its colour."""

from __future__ import annotations

import contextlib
import os
from typing import TextIO

from podway.lab.lines import is_wrong, render

_SOURCES = ("36", "33", "34", "35", "32", "96", "93", "94")
"""ANSI colours by source, readable on dark and on light ground; red is left to errors."""
_TONES = {"good": "32", "bad": "1;31", "warn": "33", "dim": "2", "strong": "1"}
LINE_MOST = 131_072
"""A line longer than this is passed on in parts (the daemons' own most is half of it)."""


class Screen:
    """Writes whole lines; colours only where a person looks on."""

    def __init__(self, out: TextIO, *, colour: bool, width: int = 13, quiet: bool = False) -> None:
        self._out = out
        self._colour = colour
        self._width = width
        self._quiet = quiet
        self._labels: dict[str, str] = {}
        self._partial: dict[str, bytes] = {}
        self._hushed = False
        self._held: list[tuple[str, str]] | None = None

    def hold(self) -> None:
        """Keep what is passed on until `release`: how each part starts is read by nobody."""
        self._held = []

    def release(self, *, everything: bool) -> None:
        """Write what was held (else only what is wrong), and pass on at once from now on.

        While the parts start, each finds others not there yet; that alone is not wrong.
        """
        held, self._held = self._held or [], None
        for source, text in held:
            if everything or is_wrong(text, starting=True):
                self._show(source, [text])

    def hush(self) -> None:
        """From now on pass on only what is wrong: nobody needs to read how each part stops."""
        self._hushed = True

    def say(self, text: str = "") -> None:
        """Write lines of podway's own."""
        # The terminal or the reader of a pipe may have gone; the lab goes on and stops in order.
        with contextlib.suppress(BrokenPipeError):
            self._out.write(text + "\n")
            self._out.flush()

    def paint(self, tone: str, text: str) -> str:
        """Give `text` in a tone (good, bad, warn, dim, strong), where there are colours."""
        return f"\x1b[{_TONES[tone]}m{text}\x1b[0m" if self._colour and text else text

    def pass_on(self, source: str, data: bytes, *, end: bool = False) -> None:
        """Write the complete lines of what `source` said; keep the rest until it is complete."""
        lines = (self._partial.pop(source, b"") + data).split(b"\n")
        rest = lines.pop()
        if end or len(rest) > LINE_MOST:
            lines.append(rest)
        elif rest:
            self._partial[source] = rest
        decoded = (line.decode("utf-8", "replace") for line in lines if line.strip())
        texts = [text for text in decoded if not self._hides(text)]
        if self._held is not None:
            self._held += [(source, text) for text in texts]
        elif texts:
            self._show(source, texts)

    def _show(self, source: str, texts: list[str]) -> None:
        label = self._label(source)
        self.say("\n".join(f"{label} {render(text, self.paint)}" for text in texts))

    def _hides(self, text: str) -> bool:
        return (self._quiet or self._hushed) and not is_wrong(text)

    def _label(self, source: str) -> str:
        label = self._labels.get(source)
        if label is None:
            label = f"{source:<{self._width}} │"
            if self._colour:
                label = f"\x1b[{_SOURCES[len(self._labels) % len(_SOURCES)]}m{label}\x1b[0m"
            self._labels[source] = label
        return label


def has_colour(out: TextIO) -> bool:
    """Tell whether to colour: a terminal, and the user has not set NO_COLOR (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
