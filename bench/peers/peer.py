"""What a proxy in the comparison is: how it is started in front of the pods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

HOST = "web.bench.test"
"""The host name that the HTTP modes route by."""


class Door(NamedTuple):
    """A port of the proxy's and the pod's port behind it, both on 127.0.0.1."""

    listen: int
    pod: int


class Certificate(NamedTuple):
    """The certificate that every proxy shows, in PEM: ECDSA on P-256, for `HOST` and 127.0.0.1."""

    chain: Path
    key: Path
    both: Path
    """Certificate and key in one file, as HAProxy wants them."""


class Setup(NamedTuple):
    """Where a proxy is to listen and to forward, and a folder of its own for its files."""

    folder: Path
    web: Door
    """To the pod that answers HTTP requests."""
    bulk: Door
    """To the source of bulk data; TCP only."""
    connections: int
    """Most client connections at once."""
    certificate: Certificate


class Launch(NamedTuple):
    """A command line, with what its environment has besides."""

    argv: list[str]
    env: Mapping[str, str] = {}


Mode = Callable[[Setup], Launch]
"""Writes the files of a proxy in one of the modes, and tells how it is started.

`tcp`: relays both ports. `http`: routes requests by host, with forwarded headers. `tls`: the same
for HTTPS, TLS 1.3 alone, with the certificate. `extras`: as `http`, with a sticky cookie and the
actions of `EXTRAS`.
"""


class Actions(NamedTuple):
    """Fields that are set or taken out."""

    request: Mapping[str, str]
    answer: Mapping[str, str]
    gone: str
    """Taken out of answers."""


EXTRAS = Actions(
    {"X-Tier": "gold", "X-Environment": "bench"}, {"X-Frame-Options": "DENY"}, "X-Powered-By"
)
STICKY = "sticky"
"""The cookie's name, where it can be chosen."""


class Peer(NamedTuple):
    """One proxy."""

    name: str
    """As in the results and tables."""
    version: str
    modes: Mapping[str, Mode]
    """Those that it has."""
