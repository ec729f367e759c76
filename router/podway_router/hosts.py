"""Host names of Routes: what is valid, what is generated, what a wildcard covers. Pure."""

from __future__ import annotations

import re

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""RFC 1123 section 2.1 as the API has it: lower case, 63 characters."""
_LONGEST = 253
"""RFC 1035 section 2.3.4, written without the root's dot."""


def problem(host: str) -> str:
    """Say what is wrong with a Route's host; empty when nothing is."""
    if len(host) > _LONGEST:
        return f"{host[:40]!r}… has {len(host)} characters, {_LONGEST} is the most"
    for label in host.split("."):
        if not _LABEL.fullmatch(label):
            return (
                f"{host!r} is not a host name: the label {label!r} must be 1 to 63 of "
                "a-z, 0-9 and '-', and begin and end with a letter or digit"
            )
    return ""


def parent(host: str) -> str:
    """Give the domain that a host's wildcard belongs to: all but the first label."""
    return host.partition(".")[2]


def wildcard_of(host: str) -> str:
    """Give the name under which a wildcard that covers `host` is kept: `*.<parent>`."""
    return "*." + parent(host)


def generated(name: str, namespace: str, domain: str) -> str:
    """Give the host of a Route that names none (route-api: `<name>-<namespace>.<domain>`)."""
    return f"{name.replace('.', '-')}-{namespace}.{domain}"
