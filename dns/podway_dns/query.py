"""The strict reading of a query: our own refusals first (RFC 1035, 6891, 7873, 9619).

Pure, and never raises: bytes in; out comes a `Query`, a `Refused` with the rcode that it gets, or
None for what gets no answer at all.
"""

from __future__ import annotations

from typing import NamedTuple

from podway_dns.names import MAX_LABEL, MAX_NAME, Name
from podway_dns.records import FORMERR, IXFR, NOTIMP, OPT

HEADER = 12
COOKIE = 10
"""EDNS option code (RFC 7873 section 4)."""
_QR = 0x80


class Edns(NamedTuple):
    """What the query's OPT record says (RFC 6891 section 6.1)."""

    size: int
    version: int
    do: bool
    options: tuple[tuple[int, bytes], ...]

    @property
    def cookie(self) -> bytes | None:
        """The first COOKIE option's data; others are ignored (RFC 7873 section 5.2)."""
        return next((data for code, data in self.options if code == COOKIE), None)


class Query(NamedTuple):
    """A well-formed standard query."""

    message: bytes
    question: bytes
    """The question section as received, its letters' case included; empty if there is none."""
    name: Name
    rtype: int
    rclass: int
    edns: Edns | None

    @property
    def rd(self) -> bool:
        """Recursion desired."""
        return bool(self.message[2] & 1)


class Refused(NamedTuple):
    """A message that is answered with an error because of its form."""

    message: bytes
    rcode: int
    question: bytes
    edns: bool
    """It held an OPT record, so the answer has one (RFC 6891 section 7)."""


class _MalformedError(Exception):
    """The bytes can't be read on."""


def read(message: bytes) -> Query | Refused | None:
    """Read a message; None: too short to have a header, or itself an answer."""
    if len(message) < HEADER or message[2] & _QR:
        return None
    if message[2] & 0x78:
        return Refused(message, NOTIMP, b"", edns=False)
    return _Reader(message).read()


class _Reader:
    """Goes through the sections once."""

    __slots__ = ("at", "edns", "message", "opts", "question")

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.at = HEADER
        self.question = b""
        self.edns: Edns | None = None
        self.opts = 0

    def read(self) -> Query | Refused:
        try:
            return self._read()
        except _MalformedError:
            return Refused(self.message, FORMERR, self.question, edns=self.opts > 0)

    def _read(self) -> Query:
        counts = [self._number(at) for at in (4, 6, 8, 10)]
        if counts[0] > 1:
            raise _MalformedError  # RFC 9619 section 3
        name, rtype, rclass = self._read_question() if counts[0] else (b"", 0, 0)
        if counts[1] or (counts[2] and rtype != IXFR):
            raise _MalformedError
        for _ in range(counts[2]):
            self._skip_record(additional=False)
        for _ in range(counts[3]):
            self._skip_record(additional=True)
        if self.at != len(self.message) or self.opts > 1:
            raise _MalformedError
        if not counts[0] and (self.edns is None or self.edns.cookie is None):
            raise _MalformedError  # RFC 7873 section 5.4
        return Query(self.message, self.question, name, rtype, rclass, self.edns)

    def _number(self, at: int) -> int:
        if at + 2 > len(self.message):
            raise _MalformedError
        return int.from_bytes(self.message[at : at + 2], "big")

    def _read_question(self) -> tuple[Name, int, int]:
        start = self.at
        self._skip_labels()
        name = self.message[start : self.at].lower()
        rtype, rclass = self._number(self.at), self._number(self.at + 2)
        self.at += 4
        self.question = self.message[start : self.at]
        return name, rtype, rclass

    def _skip_labels(self) -> None:
        """Step over a name that must not be compressed: nothing stands in front of it."""
        start = self.at
        while True:
            length = self._byte(self.at)
            self.at += 1 + length
            if length > MAX_LABEL or self.at - start > MAX_NAME:
                raise _MalformedError
            if not length:
                return

    def _byte(self, at: int) -> int:
        if at >= len(self.message):
            raise _MalformedError
        return self.message[at]

    def _skip_name(self) -> None:
        """Step over a record's owner; a pointer ends it and must point backwards."""
        while (length := self._byte(self.at)) <= MAX_LABEL:
            self.at += 1 + length
            if not length:
                return
        if length < 0xC0 or (self._number(self.at) & 0x3FFF) >= self.at:
            raise _MalformedError
        self.at += 2

    def _skip_record(self, *, additional: bool) -> None:
        owner = self.at
        self._skip_name()
        fixed = self.at
        rtype = self._number(fixed)
        end = fixed + 10 + self._number(fixed + 8)
        if end > len(self.message):
            raise _MalformedError
        self.at = end
        if rtype == OPT:
            self._read_opt(fixed, end)
            if not additional or fixed - owner != 1:
                raise _MalformedError  # RFC 6891 section 6.1.1 and 6.1.2

    def _read_opt(self, fixed: int, end: int) -> None:
        self.opts += 1
        options = []
        at = fixed + 10
        while at < end:
            code, length = self._number(at), self._number(at + 2)
            at += 4 + length
            if at > end:
                raise _MalformedError
            options.append((code, self.message[at - length : at]))
        flags = self._number(fixed + 6)
        self.edns = Edns(
            self._number(fixed + 2), self.message[fixed + 5], bool(flags & 0x8000), tuple(options)
        )
