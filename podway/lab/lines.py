"""Turns the daemons' log records (JSON) into lines for people. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Paint = Callable[[str, str], str]
"""(name of a tone, text) -> the text in that tone: good, bad, warn, dim or strong."""

_LEVELS = {"debug": "dim", "warning": "warn", "error": "bad"}
_KNOWN = ("time", "daemon", "instance", "role", "level", "event")


def render(line: str, paint: Paint) -> str:
    """Give one line for people; what is no record of ours comes out as it is."""
    record = _record(line)
    if record is None:
        return line
    time = str(record.get("time", ""))[11:23]
    fields = {key: value for key, value in record.items() if key not in _KNOWN}
    if "status" in fields and "method" in fields:
        return f"{paint('dim', time)} {_access(fields, paint)}"
    level = str(record.get("level", ""))
    event = str(record["event"])
    text = paint(_LEVELS[level], f"{level}: {event}") if level in _LEVELS else event
    tail = _fields(fields)
    return f"{paint('dim', time)} {text}{paint('dim', tail)}"


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "event" in record else None


def _access(fields: Mapping[str, Any], paint: Paint) -> str:
    rest = dict(fields)
    status = int(rest.pop("status"))
    tone = "good" if status < 400 else "warn" if status < 500 else "bad"
    what = f"{rest.pop('method')} {rest.pop('host', '')}{rest.pop('path', '')}"
    return f"{paint(tone, str(status))} {paint('strong', what)}{paint('dim', _fields(rest))}"


def _fields(fields: Mapping[str, Any]) -> str:
    return "".join(f" {key}={_value(value)}" for key, value in fields.items())


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return json.dumps(text) if not text or any(c in text for c in ' "=\n') else text
