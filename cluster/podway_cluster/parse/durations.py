"""Go's durations: `300ms`, `1.5h`, `2h45m` (time.ParseDuration)."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 64


def seconds(text: str) -> float | None:
    """Give a duration in seconds, None where the text is none; a bare `0` is one."""
    sign, digits = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    if digits == "0":
        return 0.0
    if not digits or len(digits) > _LONGEST:
        return None
    total, at = 0.0, 0
    while at < len(digits):
        part = _PART.match(digits, at)
        if part is None:
            return None
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return sign * total
