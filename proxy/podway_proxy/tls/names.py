"""What a certificate says: host names that it covers, subjects as people write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

_SHORT: Final = {
    "countryName": "C",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "commonName": "CN",
    "domainComponent": "DC",
    "userId": "UID",
    "givenName": "GN",
    "surname": "SN",
}
"""OpenSSL's short names (obj_mac.h) where they differ from the long ones that Python gives."""


def covers(names: Iterable[str], host: str) -> bool:
    """Tell whether a certificate with these DNS names is one for `host` (RFC 6125 section 6.4.3).

    A wildcard stands for the whole first label, and for one label only. All are in lower case.
    """
    parent = "*." + host.partition(".")[2]
    return any(name in (host, parent) for name in names)


def dns_names(peer: dict[str, Any]) -> list[str]:
    """Give the DNS names of what `SSLSocket.getpeercert()` returned, in lower case."""
    return [value.lower() for kind, value in peer.get("subjectAltName", ()) if kind == "DNS"]


def mismatch(peer: dict[str, Any], names: Collection[str]) -> str:
    """Say why the certificate that `getpeercert()` returned is for none of these names.

    Empty when it is for one of them, or when there are none.
    """
    given = dns_names(peer)
    if not names or any(covers(given, name) for name in names):
        return ""
    shown = ", ".join(given[:3]) or "no host"
    return f"the certificate is for {shown}, not for {' or '.join(names)}"


def subject(peer: dict[str, Any]) -> str:
    """Give the subject of what `getpeercert()` returned: `/C=US/O=Example/CN=name`."""
    parts = (pair for relative in peer.get("subject", ()) for pair in relative)
    return "".join(f"/{_SHORT.get(name, name)}={value}" for name, value in parts)


class Patterns:
    """`allowedSubjectPatterns`: a client's subject must match one of them; none: all may come.

    They are searched for, not anchored, as HAProxy's `-m reg` does.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        """Compile; one that is no regular expression matches nothing (see `pattern_fault`)."""
        self._open = not patterns
        self._compiled = [re.compile(one) for one in patterns if not pattern_fault(one)]

    def allow(self, subject: str) -> bool:
        """Tell whether a client with this subject may come; without one it is empty."""
        return self._open or any(one.search(subject) for one in self._compiled)


def pattern_fault(pattern: str) -> str:
    """Say why a pattern can't be used; empty when it can."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"{pattern[:80]!r} is no regular expression: {error}"
    return ""
