"""The Routes' annotations that this version acts on. Pure.

Values are matched whole. An invalid one is treated as absent, as the OpenShift router does, and
is reported besides (`reference/route-api.md` section 2).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from podway_router import hsts, misspelt, rates, rewriting

H = "haproxy.router.openshift.io/"
_TIME = re.compile(r"([1-9][0-9]*)(us|ms|s|m|h|d)?")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""A bare number is milliseconds (HAProxy's time format)."""
_LONGEST = 2_147_483_647 / 1000
"""HAProxy's largest time-out, in seconds: 2^31-1 ms."""
BALANCE = ("roundrobin", "leastconn", "source", "random")
SAME_SITE = ("Lax", "Strict", "None")
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
"""What Go's strconv.ParseBool takes."""
_COOKIE_NAME = re.compile(r"[a-zA-Z0-9_-]+")
FORWARDED = ("append", "replace", "if-none", "never")
ALLOWLISTS = (H + "ip_allowlist", H + "ip_whitelist")
"""The first that is there counts."""


class Wishes(NamedTuple):
    """What a Route's annotations ask for; None where they ask for nothing valid."""

    balance: str | None = None
    timeout: float | None = None
    """Seconds: the server time-out; on passthrough the tunnel's."""
    timeout_tunnel: float | None = None
    forwarded: str | None = None
    health_interval: float | None = None
    allowed: tuple[str, ...] | None = None
    """CIDRs from which clients may come; None: from anywhere. Empty: a list of which nothing is
    valid lets nobody in."""
    no_cookies: bool = False
    cookie_name: str | None = None
    same_site: str | None = None
    hsts: str | None = None
    """Strict-Transport-Security."""
    rewrite: str | None = None
    """What the pod's paths begin with in place of `spec.path`."""
    adjusts_case: bool = False
    """Requests get the controller's spelling of field names."""
    rules: dict[str, int] | None = None
    """What one client may ask for, by field of the proxy's `Rules`."""
    pod_connections: int = 0


_PREFIX = "router.openshift.io/"
"""Part of every annotation's name that is read here."""
_NOTHING: tuple[Wishes, tuple[str, ...]] = (Wishes(), ())


def read(annotations: Mapping[str, str]) -> tuple[Wishes, tuple[str, ...]]:
    """Give the valid wishes, and a warning for every value that is not."""
    if not any(_PREFIX in name for name in annotations):  # most Routes ask for nothing
        return _NOTHING
    warnings: list[str] = []
    wishes = Wishes(
        balance=_choice(annotations, H + "balance", BALANCE, warnings),
        timeout=_time(annotations, H + "timeout", warnings),
        timeout_tunnel=_time(annotations, H + "timeout-tunnel", warnings),
        forwarded=_choice(annotations, H + "set-forwarded-headers", FORWARDED, warnings),
        health_interval=_time(
            annotations, "router.openshift.io/haproxy.health.check.interval", warnings
        ),
        allowed=_networks(annotations, warnings),
        no_cookies=_boolean(annotations, H + "disable_cookies", warnings),
        cookie_name=_token(annotations, "router.openshift.io/cookie_name", warnings),
        same_site=_choice(annotations, "router.openshift.io/cookie-same-site", SAME_SITE, warnings),
        hsts=_checked(annotations, H + "hsts_header", hsts.fault, warnings),
        rewrite=_checked(annotations, H + "rewrite-target", rewriting.fault, warnings),
        adjusts_case=_boolean(annotations, H + "h1-adjust-case", warnings),
        rules=rates.rules(
            annotations, warnings, asked=_boolean(annotations, rates.RATES, warnings)
        ),
        pod_connections=rates.pod_connections(annotations, warnings),
    )
    warnings += misspelt.warnings(annotations)
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


def _boolean(annotations: Mapping[str, str], name: str, warnings: list[str]) -> bool:
    value = annotations.get(name)
    if value is not None and value not in _TRUE + _FALSE:
        warnings.append(f"metadata.annotations[{name}]: {value!r} is neither true nor false")
    return value in _TRUE


def _token(annotations: Mapping[str, str], name: str, warnings: list[str]) -> str | None:
    value = annotations.get(name)
    if value is None or _COOKIE_NAME.fullmatch(value):
        return value
    warnings.append(
        f"metadata.annotations[{name}]: {value!r} is no cookie's name: letters, digits, _ and -"
    )
    return None


def _checked(
    annotations: Mapping[str, str],
    name: str,
    fault: Callable[[str], str],
    warnings: list[str],
) -> str | None:
    value = annotations.get(name)
    found = "" if value is None else fault(value)
    if found:
        warnings.append(f"metadata.annotations[{name}]: {value!r} {found}")
    return None if found else value


def _networks(annotations: Mapping[str, str], warnings: list[str]) -> tuple[str, ...] | None:
    """Read the list of networks; what is no network is left out of it, never the list itself."""
    name = next((name for name in ALLOWLISTS if name in annotations), None)
    if name is None:
        return None
    valid = []
    for word in annotations[name].split():
        try:
            valid.append(str(ipaddress.ip_network(word, strict=False)))
        except ValueError:
            hint = ": separate them by spaces" if "," in word else ""
            warnings.append(
                f"metadata.annotations[{name}]: {word!r} is no address and no network such as "
                f"10.0.0.0/8, and lets nobody in{hint}"
            )
    if not valid:
        warnings.append(f"metadata.annotations[{name}]: names no network, so nobody is let in")
    return tuple(valid)


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
