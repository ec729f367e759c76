"""The common query answered straight from its bytes: a proven subset of `slow`.

Handled: one question of class IN, QUERY, no record but a plain OPT (no options, version 0), the
name in full; answers that are one RRset, a CNAME chain, NXDOMAIN, NODATA or REFUSED and that fit.
For everything else `answer` gives None and `slow` has the word. A property test holds the two
against each other.
"""

from __future__ import annotations

from podway_dns.lookup import lookup
from podway_dns.names import MAX_LABEL, MAX_NAME, Name
from podway_dns.packing import (
    EDNS_SIZE,
    PLAIN_SIZE,
    REFUSAL,
    Packed,
    pack_chain,
    pack_negative,
    pack_rrset,
)
from podway_dns.records import (
    ANY,
    AXFR,
    CNAME,
    DS,
    IXFR,
    MAILA,
    MAILB,
    NOERROR,
    NXDOMAIN,
    OPT,
    TKEY,
    TSIG,
    target,
)
from podway_dns.zone import Node, Snapshot, Zone

_NO_OPT, _WITH_OPT = b"\0\1\0\0\0\0\0\0", b"\0\1\0\0\0\0\0\1"
HEADS: dict[bytes, int] = {
    bytes((rd, low)) + counts: rd + (2 if counts is _WITH_OPT else 0)
    for rd in (0, 1)
    for low in (0x00, 0x10, 0x20, 0x30)
    for counts in (_NO_OPT, _WITH_OPT)
}
"""Header bytes 2 to 11 that are handled: RD, AD and CD as they like, one question, maybe one
additional record. The value picks the head of the answer (`packing.Packed.heads`)."""

_PLAIN = b"\0\1"
"""All that follows the question's type where there is no OPT record: class IN."""
_OPT_TAILS: dict[bytes, tuple[int, bytes]] = {}
"""What follows it where there is one: how long the answer's other parts may be together with the
name, and the OPT record that answers. Filled in as sizes are met."""
_MAX_TAILS = 1024
_TYPE_AND_CLASS = 4
_PLAIN_ROOM = PLAIN_SIZE - _TYPE_AND_CLASS
_SPECIAL = frozenset(
    t.to_bytes(2, "big") for t in (ANY, AXFR, IXFR, MAILA, MAILB, OPT, TSIG, TKEY, DS)
)
_MAX_MEMO = 8192
"""Chains kept packed per snapshot, about 0.5 KB each."""


Found = tuple[bytes, tuple[bytes, ...], bytes, bytes]
"""An answer but for its id: header and question, the rest in each rotation, the OPT record; and
the question's type with the rcode in a third byte, for counting."""
Kept = tuple[bytes, tuple[bytes, ...], bytes, bytes, bytes]
"""The same, kept for the next time: all behind the id where that is always the same, else empty;
the rotations; header and question, empty where there is the whole; for counting; the OPT record."""


def answer(message: bytes, snapshot: Snapshot, udp: bool, turn: int) -> bytes | None:
    """Answer the query, or give None where `slow` must."""
    found = find(message, snapshot, udp)
    if found is None:
        return None
    front, bodies, opt, _ = found
    return message[:2] + front + bodies[turn % len(bodies)] + opt


def find(message: bytes, snapshot: Snapshot, udp: bool) -> Found | None:
    """Find the answer, or give None where `slow` must. The id plays no part in it."""
    head = HEADS.get(message[2:12])
    if head is None:
        return None
    end = message.find(b"\0", 12) + 1
    tail = message[end + 2 :]
    room, opt = _PLAIN_ROOM, b""
    if head > 1:
        read = _OPT_TAILS.get(tail) or _read_tail(tail)
        if read is None:
            return None
        room, opt = read
    elif tail != _PLAIN:
        return None
    name = message[12:end].lower()
    code = message[end : end + 2]
    node = snapshot.index.get(name)
    if node is None:
        packed = _missing(snapshot, name, code)
    else:
        packed = _found(snapshot, node, name, name, code)
    if packed is None or (udp and end + packed.size > room):
        return None
    return packed.heads[head] + message[12 : end + 4], packed.bodies, opt, code + packed.rcode


def _read_tail(tail: bytes) -> tuple[int, bytes] | None:
    """Read class IN and a plain OPT record, and keep what was made of them."""
    plain = len(tail) == 13 and tail[:5] == b"\0\1\0\0\x29" and tail[12] == tail[11] == 0
    if not plain or tail[7] or tail[8]:
        return None
    size = int.from_bytes(tail[5:7], "big")
    flags = bytes((tail[9] & 0x80, 0))
    opt = b"\0\0\x29" + EDNS_SIZE.to_bytes(2, "big") + b"\0\0" + flags + b"\0\0"
    made = (min(max(size, PLAIN_SIZE), EDNS_SIZE) - _TYPE_AND_CLASS - len(opt), opt)
    if len(_OPT_TAILS) < _MAX_TAILS:
        _OPT_TAILS[tail] = made
    return made


def _found(snapshot: Snapshot, node: Node, owner: Name, name: Name, code: bytes) -> Packed | None:
    """Answer from a node; `owner` is its own name, `name` the one asked for."""
    if node.plain:
        for rrset in node.sets:
            if rrset.code == code:
                packed = rrset.packed
                if packed is None and rrset.rtype != DS:
                    packed = rrset.packed = pack_rrset(rrset)
                return packed
        return None if code in _SPECIAL else _nodata(snapshot.zones[node.origin])
    if code in _SPECIAL or node.cname is None:
        return None
    return _chain(snapshot, owner, name, code)


def _nodata(zone: Zone) -> Packed | None:
    if zone.nodata is None and zone.negative is not None:
        zone.nodata = pack_negative(zone.origin, zone.negative, NOERROR)
    return zone.nodata


def _nxdomain(zone: Zone) -> Packed | None:
    if zone.address_names:
        return None
    if zone.nxdomain is None and zone.negative is not None:
        zone.nxdomain = pack_negative(zone.origin, zone.negative, NXDOMAIN)
    return zone.nxdomain


def _missing(snapshot: Snapshot, name: Name, code: bytes) -> Packed | None:
    """Find the closest encloser and ask its wildcard (RFC 4592 section 3.3.1)."""
    index = snapshot.index
    if len(name) > MAX_NAME:
        return None
    encloser = name
    node = None
    while node is None:
        length = encloser[0] if encloser else 64
        if length > MAX_LABEL:
            return None
        if not length:
            return None if code in _SPECIAL else REFUSAL
        encloser = encloser[1 + length :]
        node = index.get(encloser)
    if node.cut is not None or node.dname is not None:
        return None
    owner = b"\x01*" + encloser
    star = index.get(owner)
    if star is not None:
        return _found(snapshot, star, owner, name, code)
    return None if code in _SPECIAL else _nxdomain(snapshot.zones[node.origin])


def _chain(snapshot: Snapshot, owner: Name, name: Name, code: bytes) -> Packed | None:
    """Answer from a CNAME; what was packed for a wildcard's owner serves all names under it."""
    key = owner + code
    packed = snapshot.chains.get(key)
    if packed is not None:
        return None if name in packed.owners else packed
    result = lookup(snapshot, name, int.from_bytes(code, "big"))
    packed = pack_chain(result, name)
    loops = any(rrset.rtype == CNAME and target(rrset) == name for _, rrset in result.answer)
    if packed is not None and not loops and len(snapshot.chains) < _MAX_MEMO:
        snapshot.chains[key] = packed
    return packed
