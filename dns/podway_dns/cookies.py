"""DNS cookies: RFC 7873 with the interoperable server cookie of RFC 9018 (SipHash-2-4). Pure."""

from __future__ import annotations

from functools import lru_cache

CLIENT_BYTES = 8
"""RFC 7873 section 4: the client's part; the server's has 8 to 32 bytes."""
_VERSION = b"\1\0\0\0"
"""RFC 9018 section 4.1: version 1, three reserved zero bytes."""
LIFETIME = 3600
"""Seconds for which a server cookie is good (RFC 9018 section 4.3)."""
FUTURE = 300
"""Seconds by which its clock may be ahead of ours (RFC 9018 section 4.3)."""
RENEW = 1800
"""Seconds after which the client is given a new one (RFC 9018 section 4.3)."""
_KEPT = 4096
"""Cookies remembered: a resolver shows the one that it has with every query."""
_MASK = 0xFFFFFFFFFFFFFFFF


def well_formed(option: bytes) -> bool:
    """Tell whether a COOKIE option has a length that RFC 7873 section 4 allows."""
    return len(option) == CLIENT_BYTES or 16 <= len(option) <= 40


def answer_option(option: bytes, client: bytes, now: int, secret: bytes) -> bytes:
    """Give the COOKIE option that answers `option`; `client` is its packed IP address."""
    stamp = _stamp(option)
    if stamp is not None and now - stamp < RENEW and is_valid(option, client, now, secret):
        return option
    return _make(option[:CLIENT_BYTES], client, now, secret)


def is_valid(option: bytes, client: bytes, now: int, secret: bytes) -> bool:
    """Tell whether the option holds a server cookie that we made, for this client, lately."""
    stamp = _stamp(option)
    if stamp is None or not -FUTURE <= now - stamp <= LIFETIME:
        return False
    return option == _make(option[:CLIENT_BYTES], client, stamp, secret)


def _stamp(option: bytes) -> int | None:
    if len(option) != 24 or option[8:12] != _VERSION:
        return None
    return int.from_bytes(option[12:16], "big")


@lru_cache(_KEPT)
def _make(start: bytes, client: bytes, now: int, secret: bytes) -> bytes:
    head = start + _VERSION + (now & 0xFFFFFFFF).to_bytes(4, "big")
    return head + siphash24(secret, head + client).to_bytes(8, "little")


def siphash24(key: bytes, data: bytes) -> int:
    """Compute SipHash-2-4 (Aumasson and Bernstein) with a 16-byte key, as a number."""
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:16], "little")
    state = (
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    )
    padded = data + b"\0" * (7 - len(data) % 8) + bytes((len(data) & 0xFF,))
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v0, v1, v2, v3 = state
        v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3 ^ word))
        state = (v0 ^ word, v1, v2, v3)
    v0, v1, v2, v3 = state
    v2 ^= 0xFF
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _rotl(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & _MASK


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = (v0 + v1) & _MASK
    v1 = _rotl(v1, 13) ^ v0
    v0 = _rotl(v0, 32)
    v2 = (v2 + v3) & _MASK
    v3 = _rotl(v3, 16) ^ v2
    v0 = (v0 + v3) & _MASK
    v3 = _rotl(v3, 21) ^ v0
    v2 = (v2 + v1) & _MASK
    v1 = _rotl(v1, 17) ^ v2
    v2 = _rotl(v2, 32)
    return v0, v1, v2, v3
