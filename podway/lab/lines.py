"""Turns the daemons' log records (JSON) into lines for people. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Paint = Callable[[str, str], str]
"""(name of a tone, text) -> the text in that tone: good, bad, warn, dim or strong."""

_LEVELS = {"debug": "dim", "warning": "warn", "error": "bad"}
_KNOWN = ("time", "daemon", "instance", "role", "level", "event")


def read(line: str) -> dict[str, Any] | None:
    """Give the log record of a line; None for a line that is none."""
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "event" in record else None


def is_wrong(line: str, *, starting: bool = False) -> bool:
    """Tell whether a line is worth reading for somebody who wants to see only what is wrong.

    While the lab starts (`starting`), an endpoint that is not there yet is not.
    """
    record = read(line)
    if record is None:
        return True
    expected = ("endpoint down", "connect failed", "refused") if starting else ()
    return record.get("level") in ("warning", "error") and record["event"] not in expected


def render(line: str, paint: Paint) -> str:
    """Give one line for people; what is no record of ours comes out as it is."""
    record = read(line)
    if record is None:
        return line
    time = paint("dim", str(record.get("time", ""))[11:23])
    fields = {key: value for key, value in record.items() if key not in _KNOWN}
    event = str(record["event"])
    if event == "request" and "status" in fields:
        return f"{time} {_request(fields, paint)}"
    if event == "connection" and "by" in fields:
        return f"{time} {_connection(fields, paint)}"
    level = str(record.get("level", ""))
    text = paint(_LEVELS[level], f"{level}: {event}") if level in _LEVELS else event
    return f"{time} {text}{paint('dim', _fields(fields))}"


def _request(fields: Mapping[str, Any], paint: Paint) -> str:
    """`200 GET web.test/x -> pod (address), by route demo/web, for 127.0.0.1, 1.2 ms`."""
    status = int(fields["status"])
    tone = "good" if status < 400 else "warn" if status < 500 else "bad"
    what = f"{fields.get('method', '')} {fields.get('host', '')}{fields.get('target', '')}"
    return f"{paint(tone, str(status))} {paint('strong', what)} {_outcome(fields, paint)}"


def _connection(fields: Mapping[str, Any], paint: Paint) -> str:
    """Say the same of a TLS connection that was passed through."""
    tone, word = ("bad", "TLS refused") if fields.get("step") else ("good", "TLS")
    if not fields.get("step") and not fields.get("endpoint"):
        tone, word = "dim", "TLS: closed before it named a server"
    host = f" {paint('strong', str(fields['host']))}" if fields.get("host") else ""
    bytes_ = f"{fields.get('received', 0)} bytes in, {fields.get('sent', 0)} out"
    outcome = _outcome(fields, paint)
    return f"{paint(tone, word)}{host} {outcome}{paint('dim', f', {bytes_}')}"


def _outcome(fields: Mapping[str, Any], paint: Paint) -> str:
    step = str(fields.get("step") or "")
    endpoint = str(fields.get("endpoint") or "")
    to = f"-> {_pod_first(endpoint)}" if endpoint else paint("bad", step) if step else ""
    rest = [f"by {fields['by']}" if fields.get("by") else "", f"for {fields.get('client', '?')}"]
    if endpoint and step:
        rest.append(step)
    if isinstance(fields.get("seconds"), int | float):
        rest.append(f"{fields['seconds'] * 1000:.1f} ms")
    if int(fields.get("attempts") or 1) > 1:
        rest.append(f"{fields['attempts']} attempts")
    return to + paint("dim", f" {', '.join(filter(None, rest))}")


def _pod_first(endpoint: str) -> str:
    """Turn `127.128.1.10:8080 (web-1)` round: the pod's name says more than its address."""
    address, bracket, name = endpoint.partition(" (")
    return f"{name.removesuffix(')')} ({address})" if bracket else address


def _fields(fields: Mapping[str, Any]) -> str:
    return "".join(f" {key}={_value(value)}" for key, value in fields.items())


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return json.dumps(text) if not text or any(c in text for c in ' "=\n') else text
