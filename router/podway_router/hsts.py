"""`haproxy.router.openshift.io/hsts_header`: what tells browsers to come by https only. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podway_router.entry import RouteEntry

NAME = "Strict-Transport-Security"
GRAMMAR = "max-age=31536000, with `;includeSubDomains` and `;preload` before or after it"
_TOKEN = r"(?:includeSubDomains|preload)"  # noqa: S105 - a directive's name
_SPACE = r"[\t ]*"
_VALID = re.compile(
    rf"(?:{_TOKEN}{_SPACE};{_SPACE})*max-age{_SPACE}={_SPACE}(?:[0-9]+|\"[0-9]+\")"
    rf"(?:{_SPACE};{_SPACE}{_TOKEN})*",
    re.IGNORECASE,
).fullmatch
"""As OpenShift's template has it; line ends are no space here, as no field holds one."""
_LONGEST = 256


def of(entry: RouteEntry, proto: str) -> tuple[tuple[str, str], ...]:
    """Give the field that a Route's answers have over https, as a header action."""
    return ((NAME, entry.hsts),) if entry.hsts and proto == "https" else ()


def fault(text: str) -> str:
    """Say why it can't go into the field as it is; empty when it can."""
    if len(text) <= _LONGEST and _VALID(text):
        return ""
    return f"is not {GRAMMAR}; another directive voids it all"
