"""How a query came: all that an answer depends on besides its bytes and the zones."""

from __future__ import annotations

from typing import NamedTuple


class Asked(NamedTuple):
    """The circumstances of one query."""

    udp: bool
    """Over UDP, where answers have a length limit; else over a stream."""
    client: bytes = b"\x7f\0\0\1"
    """The client's IP address, packed (4 or 16 bytes)."""
    now: int = 0
    """Unix time in seconds, for cookies."""
    turn: int = 0
    """Which rotation of the RRsets is due."""
    secret: bytes = b""
    """Key of the server cookies, 16 bytes; empty: no cookies."""
