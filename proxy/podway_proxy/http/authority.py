"""The authority of a request: Host, or what an absolute URI holds between `//` and its path.

One rule for both, and for what a route is looked up by (RFC 3986 section 3.2, RFC 9110 7.2).
"""

from __future__ import annotations

import re
from functools import lru_cache

_AUTHORITY = re.compile(
    rb"(\[[0-9a-f:.]{2,45}\]|[0-9a-z_-](?:[0-9a-z_.-]{0,253}[0-9a-z_-])?\.?)(?::([0-9]{0,5}))?"
).fullmatch

_DEFAULT_PORT = 80
_CACHED = 1024
"""Authorities remembered: clients ask for the same few again and again."""


@lru_cache(_CACHED)
def split_authority(lowered: bytes) -> tuple[str, int] | None:
    """Split a lower-case authority into host (no trailing dot, no brackets) and port (80: none).

    None: it is not one host with an optional port in range: a list, userinfo, an empty host, a
    percent sign, a port of 0 or over 65535.
    """
    match = _AUTHORITY(lowered)
    if not match or b".." in match[1]:
        return None
    port = int(match[2] or _DEFAULT_PORT)
    if not 0 < port < 65536:
        return None
    return match[1].decode("ascii").removesuffix(".").strip("[]"), port
