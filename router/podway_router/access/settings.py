"""What a controller's `spec.logging.access` asks for, as its entry carries it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from podway_router.access.captures import Captures


class AccessEntry(NamedTuple):
    """JSON-able; made by the loader, read by the workers."""

    address: str = ""
    """Of a syslog server; empty: standard output."""
    port: int = 0
    facility: int = 17
    """local1."""
    most: int = 1024
    """Longest line in bytes."""
    format: str = ""
    """`httpLogFormat`; empty: HAProxy's HTTP log format."""
    request: Sequence[Sequence[Any]] = ()
    """Captured fields: (name, most bytes)."""
    response: Sequence[Sequence[Any]] = ()
    cookie: Sequence[Any] | None = None
    """(how `name=value` begins, most bytes)."""


def read_access(value: dict[str, Any]) -> AccessEntry:
    """Rebuild one from what JSON carried."""
    return AccessEntry(**value)


def captures_of(entry: AccessEntry) -> Captures:
    """Give what is captured."""
    cookie = None if entry.cookie is None else (str(entry.cookie[0]), int(entry.cookie[1]))
    return Captures(
        tuple((str(name), int(most)) for name, most in entry.request),
        tuple((str(name), int(most)) for name, most in entry.response),
        cookie,
    )
