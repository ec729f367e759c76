"""RFC 1035 zone files, read by dnspython: this is the only module that imports it.

`$ORIGIN`, `$TTL`, `$GENERATE`, and `$INCLUDE` of files below the zone file's own directory; every
type that dnspython knows, all others by RFC 3597. Errors carry file and line. A file with an
error gives no zone: the loader goes on with the last good one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.tokenizer
import dns.zonefile

from podway_cluster.problem import Problem
from podway_dns import names
from podway_dns.names import Name
from podway_dns.records import MAX_TTL, SOA
from podway_dns.sources import quicklines
from podway_dns.sources.apex import serial_of
from podway_dns.sources.quicklines import Run
from podway_dns.sources.zonecheck import ZoneError, check
from podway_dns.sources.zonedata import ConflictError, ZoneData

MAX_BYTES = 64 * 1024 * 1024
"""Longest zone file or included file: about 1.5 million records."""
MAX_DEPTH = 10
"""Files that include each other: BIND stops at 10 too."""
QUICK_FROM = 1000
"""Lines from which it pays to look for plain ones."""
_INCLUDE = re.compile(r"^\$INCLUDE[ \t]+(?P<rest>[^;\n]*)[^\n]*\n?", re.IGNORECASE | re.MULTILINE)
_WHERE = re.compile(r".*?:\d+: (?P<message>.*)", re.DOTALL)
_FROM_FILE_NAME = (re.compile(r"db\.(.+)"), re.compile(r"(.+)\.(?:zone|db)"))


class Loaded(NamedTuple):
    """A zone file as read: its zone, or why there is none; `files` is what it consists of."""

    zone: ZoneData | None
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]


def load(option: str) -> Loaded:
    """Read the zone file of a `--zone-file` option: `FILE`, or `ZONE=FILE`."""
    zone, sign, path = option.partition("=")
    reader = _ZoneReader(Path(path if sign else option), zone if sign else "")
    try:
        return Loaded(reader.read(), (), tuple(reader.files))
    except ZoneError as error:
        found = Problem(error.file, error.line, "zone", "", reader.label, "", str(error))
        return Loaded(None, (found,), tuple(reader.files))


class _Tokens(dns.tokenizer.Tokenizer):
    """dnspython's tokens; remembers on which line the record began that is being read."""

    start = 1

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        """Give the next token. Reader.read asks like that for a line's first one, nobody else."""
        if want_leading and want_comment:
            self.start = self.line_number
        return super().get(want_leading, want_comment)


class _ZoneReader:
    """Reads one zone file; dnspython's Reader hands each record to `add`."""

    def __init__(self, path: Path, zone: str) -> None:
        self.path = path
        self.label = zone or _zone_of(path)
        self.files: list[Path] = []
        self.records = ZoneData(names.ROOT, why=str(path))
        self.manager = self  # dnspython asks its transaction for it
        self._file = str(path)
        self._reader: Any = None

    def read(self) -> ZoneData:
        """Read everything. Raises ZoneError."""
        origin = self._name(self.label) if self.label else None
        self._reader = dns.zonefile.Reader(
            dns.tokenizer.Tokenizer(""),
            dns.rdataclass.IN,
            cast("Any", self),
            allow_directives=("$ORIGIN", "$TTL", "$GENERATE"),
        )
        self._reader.current_origin = self._reader.last_name = origin
        self._read_file(self.path, 0)
        return self._finish()

    def _name(self, text: str) -> dns.name.Name:
        try:
            return dns.name.from_text(text)
        except dns.exception.DNSException as error:
            raise ZoneError(str(self.path), 1, f"{text!r} is no zone's name: {error}") from None

    # What dnspython's Reader calls on its transaction.

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        """Let names of every zone through: `zonecheck` says which are out of place, and where."""
        return dns.name.root, False, dns.name.root

    def check_put_rdataset(self, _: object) -> None:
        """Our own check of CNAME beside other data comes with `add`."""

    def _set_origin(self, _: object) -> None:
        """Keep to the SOA's owner as the zone, whatever `$ORIGIN` says."""

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        """Take one record."""
        owner = _wire(name)
        if rdata.rdtype == SOA and self.records.origin == names.ROOT and not self._has_soa():
            self.records.origin = owner
        self._take(owner, int(rdata.rdtype), ttl, rdata.to_wire() or b"", self._reader.tok.start)

    def _take(self, owner: Name, rtype: int, ttl: int, rdata: bytes, line: int) -> None:
        try:
            self.records.add(owner, rtype, ttl, [rdata])
        except ConflictError as error:
            raise ZoneError(self._file, line, str(error)) from None

    def _has_soa(self) -> bool:
        return SOA in self.records.records.get(self.records.origin, {})

    def _read_file(self, path: Path, depth: int) -> None:
        outer, self._file = self._file, str(path)
        self.files.append(path)
        for line, text, included in _pieces(_text(path)):
            self._read_piece(text, line)
            if included is not None:
                self._include(included, depth, line + text.count("\n"))
        self._file = outer

    def _read_piece(self, text: str, line: int) -> None:
        """Read text without `$INCLUDE` that begins on that line."""
        if text.count("\n") < QUICK_FROM:
            self._read_text(text, line)
            return
        for run in quicklines.runs(text):
            if run.lines:
                self._read_plain(run, line)
            else:
                self._read_text(run.text, line + run.start)

    def _read_plain(self, run: Run, line: int) -> None:
        """Take plain lines; one that is not quite plain goes to dnspython."""
        reader = self._reader
        for number, one in enumerate(run.lines, line + run.start):
            # Without $TTL what a missing TTL stands for is dnspython's to say (RFC 2308 4).
            stated = one.ttl or (reader.default_ttl_known and not reader.default_ttl_from_soa)
            known = reader.current_origin is not None and stated
            origin = _wire(reader.current_origin) if known else names.ROOT
            found = quicklines.record(one, origin) if known else None
            ttl = int(one.ttl) if one.ttl else reader.default_ttl
            if found is None or ttl > MAX_TTL:
                self._read_text(f"{one.owner} {one.ttl} {one.kind} {one.data}\n", number)
                continue
            if one.ttl:
                reader.last_ttl, reader.last_ttl_known = ttl, True
            self._take(found[0], found[1], ttl, found[2], number)
        if run.lines and reader.current_origin is not None:
            last = run.lines[-1].owner
            reader.last_name = dns.name.from_text(last, reader.current_origin)

    def _read_text(self, text: str, line: int) -> None:
        """Let dnspython read."""
        tokens = _Tokens(text, self._file)
        tokens.line_number = line
        self._reader.tok = tokens
        try:
            self._reader.read()
        except dns.zonefile.UnknownOrigin:
            raise ZoneError(
                self._file, tokens.start,
                "the file does not say which zone it is: begin it with `$ORIGIN example.test.`, "
                "call it db.example.test, or give --zone-file example.test=FILE",
            ) from None  # fmt: skip
        except dns.exception.DNSException as error:
            raise ZoneError(self._file, tokens.start, _message(error)) from None

    def _include(self, rest: str, depth: int, line: int) -> None:
        """Read an included file; origin and last owner are as before after it (RFC 1035 5.1)."""
        words = rest.split()
        if not 1 <= len(words) <= 2:
            raise ZoneError(self._file, line, "$INCLUDE: expected a file and maybe an origin")
        path = self._below(words[0].strip('"'), line)
        if depth >= MAX_DEPTH:
            raise ZoneError(self._file, line, f"$INCLUDE: more than {MAX_DEPTH} files deep")
        before = (self._reader.current_origin, self._reader.last_name)
        if len(words) == 2:
            self._reader.current_origin = dns.name.from_text(words[1], before[0])
        self._read_file(path, depth + 1)
        self._reader.current_origin, self._reader.last_name = before

    def _below(self, text: str, line: int) -> Path:
        """Find an included file; it must lie in the zone file's directory or below."""
        directory = self.path.parent.resolve()
        path = (directory / text).resolve()
        if not path.is_relative_to(directory):
            message = f"$INCLUDE {text}: lies outside {directory}; only files below it are read"
            raise ZoneError(self._file, line, message)
        return path

    def _finish(self) -> ZoneData:
        if not self._has_soa():
            raise ZoneError(str(self.path), 1, "no SOA record: it says which zone the file is")
        zone = self.records
        check(zone, str(self.path))
        zone.base_serial = serial_of(zone)
        self.label = names.to_text(zone.origin)
        return zone


def _wire(name: dns.name.Name) -> bytes:
    return (name.to_wire() or names.ROOT).lower()


def _zone_of(path: Path) -> str:
    """Take the zone's name from the file's, where it is called as everybody does."""
    for pattern in _FROM_FILE_NAME:
        found = pattern.fullmatch(path.name)
        if found:
            return found[1]
    return ""


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ZoneError(str(path), 1, f"longer than {MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8") + "\n"
    except OSError as error:
        raise ZoneError(str(path), 1, f"can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ZoneError(str(path), 1, "is not UTF-8 text") from None


def _pieces(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Yield (first line, text, what is included behind it) for the parts between `$INCLUDE`s."""
    line = 1
    at = 0
    for found in _INCLUDE.finditer(text):
        piece = text[at : found.start()]
        yield line, piece, found["rest"]
        line += piece.count("\n") + found[0].count("\n")
        at = found.end()
    yield line, text[at:], None


def _message(error: dns.exception.DNSException) -> str:
    """Give the error's own words, without the place that Reader puts in front of them."""
    found = _WHERE.fullmatch(str(error))
    return (found["message"] if found else str(error)) or "syntax error"
