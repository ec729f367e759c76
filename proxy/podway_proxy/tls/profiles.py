"""TLS security profiles: the API's names to OpenSSL's settings. Pure.

The lists are Mozilla's, as openshift/api (config/v1, `TLSProfiles`) has them. OpenSSL offers the
DHE ciphers only with parameters of their own, which podway has none of: they are never used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

TLS13: Final = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
)
"""RFC 8446 appendix B.4. Python 3.11 can't choose among them: OpenSSL offers all three."""
_FORWARD_SECRET: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
)
_OLD: Final = (
    "DHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-RSA-AES256-SHA384",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "DHE-RSA-AES128-SHA256",
    "DHE-RSA-AES256-SHA256",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA256",
    "AES256-SHA256",
    "AES128-SHA",
    "AES256-SHA",
    "DES-CBC3-SHA",
)
WEAK: Final = "@SECLEVEL=0"
"""OpenSSL 3 speaks TLS 1.0 and 1.1 at this level only (SSL_CTX_set_security_level(3))."""
_VERSIONS: Final = {
    "VersionTLS10": "TLSv1",
    "VersionTLS11": "TLSv1_1",
    "VersionTLS12": "TLSv1_2",
    "VersionTLS13": "TLSv1_3",
}
_ANCIENT: Final = ("TLSv1", "TLSv1_1")


class Profile(NamedTuple):
    """What a server offers."""

    lowest: str = "TLSv1_2"
    """A member of `ssl.TLSVersion`."""
    ciphers: str = ":".join(_FORWARD_SECRET)
    """OpenSSL's list for TLS 1.2 and before."""


INTERMEDIATE: Final = Profile()
_NAMED: Final = {
    "Old": Profile("TLSv1", ":".join((*_FORWARD_SECRET, *_OLD, WEAK))),
    "Intermediate": INTERMEDIATE,
    "Modern": Profile("TLSv1_3"),
}


def profile(kind: str, ciphers: Sequence[str] = (), lowest: str = "") -> Profile:
    """Give the profile of this name; Custom is made of `ciphers` and `lowest` (VersionTLS12)."""
    if kind != "Custom":
        return _NAMED[kind]
    version = _VERSIONS.get(lowest, INTERMEDIATE.lowest)
    chosen = [name for name in ciphers if name not in TLS13]
    weak = (WEAK,) if version in _ANCIENT else ()
    return Profile(version, ":".join((*chosen, *weak)) if chosen else INTERMEDIATE.ciphers)


def custom_faults(ciphers: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    """Say what a Custom profile asks for and can't have; `known`: OpenSSL's names."""
    found = [f"{name!r} is no cipher of this OpenSSL: remove it" for name in ciphers
             if name not in known and name not in TLS13]  # fmt: skip
    wanted = [name for name in ciphers if name in TLS13]
    if wanted and len(wanted) < len(TLS13):
        found.append(
            "the suites of TLS 1.3 can't be chosen one by one (Python 3.11 has no way to): all of "
            f"{', '.join(TLS13)} are offered"
        )
    return tuple(found)
