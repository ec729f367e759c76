"""The common query with a cookie, as BIND and dig send it: the fast path, a cookie added. Pure.

RFC 7873: the only option is COOKIE, 8 bytes from a new client, 24 from one that has ours.
"""

from __future__ import annotations

from podway_dns import cookies, fast
from podway_dns.asked import Asked
from podway_dns.packing import EDNS_SIZE, PLAIN_SIZE
from podway_dns.zone import Snapshot

_OPT = b"\0\0\x29"
_FIXED = 11
"""Bytes of an OPT record before its options."""
_OPTION = 4
"""Code and length of an option."""
_LENGTHS = (cookies.CLIENT_BYTES, 24)


def answer(message: bytes, asked: Asked, snapshot: Snapshot) -> bytes | None:
    """Answer a query whose only option is a cookie, or give None where `slow` must."""
    end = message.find(b"\0", 12) + 5
    tail = message[end:]
    length = len(tail) - _FIXED - _OPTION
    if length not in _LENGTHS or tail[:3] != _OPT or not asked.secret:
        return None
    if tail[9:15] != b"\0%c\0\x0a\0%c" % (length + _OPTION, length):
        return None
    found = fast.find(message[:end] + tail[:9] + b"\0\0", snapshot, asked.udp)
    if found is None:
        return None
    front, bodies, opt, _ = found
    option = cookies.answer_option(tail[15:], asked.client, asked.now, asked.secret)
    opt = opt[:-2] + b"\0%c\0\x0a\0%c" % (len(option) + _OPTION, len(option)) + option
    reply = message[:2] + front + bodies[asked.turn % len(bodies)] + opt
    size = int.from_bytes(tail[3:5], "big")
    room = min(max(size, PLAIN_SIZE), EDNS_SIZE) if asked.udp else len(reply)
    return reply if len(reply) <= room else None
