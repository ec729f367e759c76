"""The Routes' annotations that this version acts on. Pure.

Values are matched whole. An invalid one is treated as absent, as the OpenShift router does, and
is reported besides (`reference/route-api.md` section 2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

H = "haproxy.router.openshift.io/"
_TIME = re.compile(r"([1-9][0-9]*)(us|ms|s|m|h|d)?")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""A bare number is milliseconds (HAProxy's time format)."""
_LONGEST = 2_147_483_647 / 1000
"""HAProxy's largest time-out, in seconds: 2^31-1 ms."""
BALANCE = ("roundrobin", "leastconn", "source", "random")
FORWARDED = ("append", "replace", "if-none", "never")


class Wishes(NamedTuple):
    """What a Route's annotations ask for; None where they ask for nothing valid."""

    balance: str | None = None
    timeout: float | None = None
    """Seconds: the server time-out; on passthrough the tunnel's."""
    timeout_tunnel: float | None = None
    forwarded: str | None = None
    health_interval: float | None = None


def read(annotations: Mapping[str, str]) -> tuple[Wishes, tuple[str, ...]]:
    """Give the valid wishes, and a warning for every value that is not."""
    warnings: list[str] = []
    wishes = Wishes(
        balance=_choice(annotations, H + "balance", BALANCE, warnings),
        timeout=_time(annotations, H + "timeout", warnings),
        timeout_tunnel=_time(annotations, H + "timeout-tunnel", warnings),
        forwarded=_choice(annotations, H + "set-forwarded-headers", FORWARDED, warnings),
        health_interval=_time(
            annotations, "router.openshift.io/haproxy.health.check.interval", warnings
        ),
    )
    return wishes, tuple(warnings)


def seconds(text: str) -> float | None:
    """Parse HAProxy's time format: `500` (ms), `30s`, `1h`. None when it is not one."""
    match = _TIME.fullmatch(text)
    if match is None or len(match[1]) > 18:
        return None
    return min(int(match[1]) * _SECONDS[match[2] or ""], _LONGEST)


def _choice(
    annotations: Mapping[str, str], name: str, among: tuple[str, ...], warnings: list[str]
) -> str | None:
    value = annotations.get(name)
    if value is None or value in among:
        return value
    warnings.append(f"metadata.annotations[{name}]: {value!r} is not one of {', '.join(among)}")
    return None


def _time(annotations: Mapping[str, str], name: str, warnings: list[str]) -> float | None:
    value = annotations.get(name)
    if value is None:
        return None
    parsed = seconds(value)
    if parsed is None:
        warnings.append(
            f"metadata.annotations[{name}]: {value!r} is not a time such as 500ms, 30s, 5m "
            "(a bare number is milliseconds)"
        )
    return parsed
