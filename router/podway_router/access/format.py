"""A HAProxy log-format string: parsed, checked, and compiled into a small program, once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from podway_router.access.facts import Facts
from podway_router.access.samples import SampleError, sample
from podway_router.access.variables import DASH, FLAGS, JSON, VARIABLES, Flags, Render

HTTP = (
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq "
    "%hr %hs %{+Q}r"
)
"""HAProxy's `option httplog` (its manual, section 8.2.3): the OpenShift router's default."""
TCP = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
"""`option tcplog` (section 8.2.2): connections that are handed through."""
MOST = 16_384
"""Longest format that is taken."""
_USUAL = frozenset(DASH)

TEXT, SPACE, VARIABLE, SAMPLE, FLAGGING = "text", "space", "variable", "sample", "flags"


class Piece(NamedTuple):
    """One part of a format."""

    kind: str
    """`text`; `space`: one or more, which are one, and none behind nothing; `variable`;
    `sample`; `flags`: `%o`, which sets the flags of what follows."""
    text: str = ""
    """The text itself, the variable's name, or the expression."""
    given: str = ""
    """The flags as they were written: `+Q,-E`."""


class Parsed(NamedTuple):
    """A format's pieces, and what is wrong with it."""

    pieces: tuple[Piece, ...]
    faults: tuple[str, ...] = ()


_SPACES = re.compile(r"[ \t\r\n]+")
_WORDS = re.compile(r"[^%\s]+")
_PERCENT = re.compile(r"%(?:\{([^{}]*)\})?(?:(%)|\[([^\[\]]*)\]|([A-Za-z0-9]+))")
_STRAY = re.compile(r"%(?:\{[^}]*\}?)?")


def parse(text: str) -> Parsed:
    """Take a format apart; what is not understood is a fault, and is written as `-`."""
    pieces: list[Piece] = []
    faults: list[str] = []
    if len(text) > MOST:
        faults.append(f"is longer than {MOST} characters: the rest is left out")
        text = text[:MOST]
    at = 0
    while at < len(text):
        piece, at = _piece(text, at, faults)
        pieces.append(piece)
    return Parsed(_joined(pieces), tuple(faults))


def _piece(text: str, at: int, faults: list[str]) -> tuple[Piece, int]:
    if match := _SPACES.match(text, at):
        return Piece(SPACE, " "), match.end()
    if match := _WORDS.match(text, at):
        return Piece(TEXT, match[0]), match.end()
    if match := _PERCENT.match(text, at):
        return _referring(match, faults), match.end()
    match = _STRAY.match(text, at)
    end = match.end() if match is not None else at + 1
    faults.append(
        f"has {text[at : at + 10]!r} at character {at + 1}, which names nothing: "
        "write %% for a percent sign"
    )
    return Piece(TEXT, "-"), end


def _referring(match: re.Match[str], faults: list[str]) -> Piece:
    """Read what begins with a percent sign."""
    given, percent, expression, name = match.groups()
    if percent:
        return Piece(TEXT, "%")
    given = _checked_flags(given or "", faults)
    if expression is not None:
        try:
            sample(expression)
        except SampleError as error:
            faults.append(f"has %[{expression[:60]}], which can't be had: {error}")
            return Piece(TEXT, "-")
        return Piece(SAMPLE, expression, given)
    if name == "o":
        return Piece(FLAGGING, "o", given)
    if name not in VARIABLES:
        faults.append(f"has %{name[:40]}, which is no variable of HAProxy's log-format")
        return Piece(TEXT, "-")
    return Piece(VARIABLE, name, given)


def _checked_flags(given: str, faults: list[str]) -> str:
    """Give the flags that are known, as `+Q,-E`."""
    known = []
    for word in filter(None, (word.strip() for word in given.split(","))):
        if word[0] in "+-" and word[1:] in FLAGS:
            known.append(word)
        else:
            faults.append(f"has the flag {word[:20]!r}: use +Q, +E or +X, or one with - before it")
    return ",".join(known)


def _joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Join texts that follow each other."""
    found: list[Piece] = []
    for piece in pieces:
        if found and piece.kind in (TEXT, SPACE) and found[-1].kind == piece.kind:
            if piece.kind == TEXT:
                found[-1] = Piece(TEXT, found[-1].text + piece.text)
        else:
            found.append(piece)
    return tuple(found)


def spelled(pieces: Iterable[Piece]) -> str:
    """Write pieces as a format again."""
    return "".join(map(_spelled, pieces))


def _spelled(piece: Piece) -> str:
    if piece.kind == TEXT:
        return piece.text.replace("%", "%%")
    if piece.kind == SPACE:
        return " "
    flags = f"{{{piece.given}}}" if piece.given else ""
    return f"%{flags}[{piece.text}]" if piece.kind == SAMPLE else f"%{flags}{piece.text}"


class Program:
    """A compiled format: `program(facts)` gives the line.

    A line is a list of words, with a space between two of which the first is not empty.
    """

    __slots__ = ("_words",)

    def __init__(self, pieces: Iterable[Piece], usual: Flags = _USUAL) -> None:
        words: list[list[str | Render]] = [[]]
        for step in _steps(pieces, usual):
            if step is None:
                words.append([])
            else:
                words[-1].append(step)
        self._words = tuple(map(_word, words))

    def __call__(self, facts: Facts) -> str:
        """Write one event."""
        *before, last = [word(facts) for word in self._words]
        line = " ".join(filter(None, before))
        return f"{line} {last}" if line else last


def _word(steps: list[str | Render]) -> Render:
    """Give what writes one word: texts and what fills the gaps between them."""
    pattern = "".join(step.replace("%", "%%") if isinstance(step, str) else "%s" for step in steps)
    renders = tuple(step for step in steps if not isinstance(step, str))
    if not renders:
        text = pattern % ()
        return lambda _: text
    if len(steps) == 1:
        return renders[0]
    if len(renders) == 1:
        only = renders[0]
        return lambda facts: pattern % only(facts)
    return lambda facts: pattern % tuple([render(facts) for render in renders])


def _steps(pieces: Iterable[Piece], usual: Flags) -> Iterable[str | Render | None]:
    """Give a text, what writes one, or None for a space."""
    for piece in pieces:
        flags = _flags(usual, piece.given)
        if piece.kind == FLAGGING:
            usual = flags
        elif piece.kind == SPACE:
            yield None
        elif piece.kind == TEXT:
            yield piece.text
        elif piece.kind == SAMPLE:
            yield sample(piece.text).render(flags)
        else:
            yield VARIABLES[piece.text].make(flags)


def _flags(before: Flags, given: str) -> Flags:
    after = set(before)
    for word in given.split(",") if given else ():
        (after.add if word[0] == "+" else after.discard)(word[1:])
    return frozenset(after)


def compiled(text: str) -> Program:
    """Compile a format; what is not understood is written as `-`."""
    trimmed = text.strip()
    is_json = trimmed.startswith("{") and trimmed.endswith("}")
    return Program(parse(text).pieces, {DASH, JSON} if is_json else _USUAL)
