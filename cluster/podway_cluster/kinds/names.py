"""The syntaxes of names, addresses and paths that the API enforces. Pure predicates."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_HOST = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
_PORT_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,62}")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""An HTTP field name (RFC 9110 section 5.6.2)."""
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")

MOST_HOST = 253
"""Longest host name (RFC 1035 section 2.3.4, less the root's dot)."""


def is_label(text: str) -> bool:
    """Tell whether it is an RFC 1123 label: a namespace, a Service's name, a port's name."""
    return _LABEL.fullmatch(text) is not None


def is_object_name(text: str) -> bool:
    """Tell whether it is an RFC 1123 subdomain: what most objects may be called."""
    return len(text) <= MOST_HOST and _SUBDOMAIN.fullmatch(text) is not None


def is_path_segment(text: str) -> bool:
    """Tell whether it can be a segment of a URL: the loosest rule of any object's name."""
    return 0 < len(text) <= MOST_HOST and text not in (".", "..") and not set("/%") & set(text)


def is_port_name(text: str) -> bool:
    """Tell whether it can name a port; Services take 63 characters."""
    return len(text) <= 63 and _PORT_NAME.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """Tell whether it can be the value of a label."""
    return _LABEL_VALUE.fullmatch(text) is not None


def is_token(text: str) -> bool:
    """Tell whether it is an HTTP field name."""
    return _TOKEN.fullmatch(text) is not None


def host_fault(host: str) -> str:
    """Say what is wrong with a host name, and what to do; empty where nothing is."""
    if len(host) <= MOST_HOST and _HOST.fullmatch(host) is not None:
        return ""
    if "*" in host:
        return "has a '*': give a host name, and use spec.wildcardPolicy: Subdomain"
    if host.endswith("."):
        return "ends with a dot: remove it"
    if host != host.lower():
        return f"has capital letters: write {host.lower()!r}"
    if len(host) > MOST_HOST:
        return f"has {len(host)} characters: use at most {MOST_HOST}"
    for label in host.split("."):
        if not is_label(label):
            return _label_fault(label)
    return ""


def wildcard_host_fault(host: str) -> str:
    """Say what is wrong with a host name that may begin with `*.`; empty where nothing is."""
    return host_fault(host.removeprefix("*."))


def _label_fault(label: str) -> str:
    if not label:
        return "has an empty part between two dots: remove one dot"
    if len(label) > 63:
        return f"has a part of {len(label)} characters: use at most 63 between two dots"
    return f"has the part {label!r}: use a-z, 0-9 and '-', and begin and end with a-z or 0-9"


def is_ip(text: str, version: int | None = None) -> bool:
    """Tell whether it is an IP address without zone (of that version, 4 or 6)."""
    try:
        found = ip_address(text)
    except ValueError:
        return False
    return "%" not in text and version in (None, found.version)


def is_cidr(text: str) -> bool:
    """Tell whether it is a network in CIDR notation."""
    if "/" not in text or "%" in text:
        return False
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def utc(timestamp: str) -> str:
    """Give an RFC 3339 time in UTC, so that texts compare like times; empty where it is none."""
    if _TIMESTAMP.fullmatch(timestamp) is None:
        return ""
    from datetime import UTC, datetime  # already loaded by PyYAML

    try:
        moment = datetime.fromisoformat(timestamp.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
