"""The log: one event a line, on stderr, readable by people and by machines.

Text: `2026-11-21T22:28:01.123Z podway-lb[lb-a] worker 0 INFO connected endpoint=127.0.0.1:80`,
with colour on a terminal. JSON: the same fields as one object. The standard library's logging is
not used: importing it costs each worker more start-up time than this whole module takes.
"""

from __future__ import annotations

import json
import os
import time
from typing import Final, NamedTuple

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")
_COLOURS: Final = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
}
_DIM: Final = "\x1b[2m"
_END: Final = "\x1b[0m"
_LINE_BYTES: Final = 65_536
"""Longest line written; a longer one is cut, so that a trace back can't flood the journal."""


class Style(NamedTuple):
    """How lines look and which are written. Passed from the master to its children as it is."""

    format: str = "text"
    colour: bool = False
    level: str = "info"

    @classmethod
    def choose(cls, format_: str | None, level: str, fd: int = 2) -> Style:
        """Take what was asked for; unasked, text with colour on a terminal and JSON elsewhere."""
        terminal = os.isatty(fd)
        chosen = format_ or ("text" if terminal else "json")
        return cls(chosen, chosen == "text" and terminal and "NO_COLOR" not in os.environ, level)


PLAIN: Final = Style()


class Log:
    """Writes events of one process; `role` says which: `master`, `loader`, `worker 0`."""

    __slots__ = ("_least", "daemon", "debugging", "fd", "instance", "role", "style")

    def __init__(
        self, daemon: str, instance: str = "", role: str = "", style: Style = PLAIN, fd: int = 2
    ) -> None:
        self.daemon = daemon
        self.instance = instance
        self.role = role
        self.style = style
        self.fd = fd
        self._least = LEVELS.index(style.level)
        self.debugging = self._least == 0
        """False: `debug` does nothing. Ask before building costly fields."""

    def debug(self, event: str, /, **fields: object) -> None:
        """Say what helps to understand one connection; off unless asked for."""
        if self._least == 0:
            self._write("debug", event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """Say that something changed as it should."""
        if self._least <= 1:
            self._write("info", event, fields)

    def warn(self, event: str, /, **fields: object) -> None:
        """Say that something is wrong and podway goes on."""
        if self._least <= 2:
            self._write("warning", event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Say that something does not work and somebody must act."""
        self._write("error", event, fields)

    def unexpected(self, event: str, error: BaseException, /, **fields: object) -> None:
        """Log an unexpected exception as one record, with the trace back in a field."""
        import traceback  # only here: it is slow to import and rarely needed

        lines = traceback.format_exception(type(error), error, error.__traceback__)
        fields["error"] = f"{type(error).__name__}: {error}"
        fields["traceback"] = "".join(lines).rstrip()
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        record = Record(time.time(), self.daemon, self.instance, self.role, level, event, fields)
        json_wanted = self.style.format == "json"
        line = json_line(record) if json_wanted else text_line(record, self.style.colour)
        data = line.encode("utf-8", "backslashreplace")[:_LINE_BYTES] + b"\n"
        try:
            os.write(self.fd, data)  # one write a line: lines of several processes do not mix
        except OSError:
            # Nobody reads stderr any more (a closed pipe). There is no other place to say so,
            # and a proxy must not end because its log did.
            return


def stamp(now: float) -> str:
    """Format seconds since the epoch as UTC with milliseconds (RFC 3339)."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"


class Record(NamedTuple):
    """One event, as it is written."""

    time: float
    """Seconds since the epoch."""
    daemon: str
    instance: str
    role: str
    level: str
    event: str
    fields: dict[str, object]


def json_line(record: Record) -> str:
    """Give one event as a JSON object; values that JSON does not know become their text."""
    line: dict[str, object] = {"time": stamp(record.time), "daemon": record.daemon}
    if record.instance:
        line["instance"] = record.instance
    line |= {"role": record.role, "level": record.level, "event": record.event}
    for key, value in record.fields.items():
        line[f"{key}_" if key in line else key] = value
    return json.dumps(line, default=str, ensure_ascii=False)


def text_line(record: Record, colour: bool) -> str:
    """Give one event as text: `time daemon[instance] role LEVEL event field=value`."""
    who = f"{record.daemon}[{record.instance}]" if record.instance else record.daemon
    tail = "".join(f" {key}={_text(value)}" for key, value in record.fields.items())
    time, role, level, event = stamp(record.time), record.role, record.level.upper(), record.event
    if not colour:
        return f"{time} {who} {role} {level} {event}{tail}"
    paint = _COLOURS[record.level]
    return f"{_DIM}{time}{_END} {who} {role} {paint}{level}{_END} {event}{_DIM}{tail}{_END}"


def _text(value: object) -> str:
    """Quote a value where its end would not be seen; never let it begin a line of its own."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    plain = text.isprintable() and not any(sign in text for sign in ' "=')
    return text if plain and text else json.dumps(text, ensure_ascii=not text.isprintable())
