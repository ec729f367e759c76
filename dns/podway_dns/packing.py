"""Answers packed ahead: everything behind the question, in bytes, but for the OPT record.

A `Packed` holds for every question that leads to the same records: the first owner is a pointer
to the question's name, all other owners are spelled out, so nothing depends on the name's length.
"""

from __future__ import annotations

from collections.abc import Iterable

from podway_dns.lookup import Owned, Result
from podway_dns.names import Name
from podway_dns.records import (
    NOERROR,
    NXDOMAIN,
    QUESTION_POINTER,
    REFUSED,
    ROTATIONS,
    SOA,
    RRset,
)

QR, AA, TC, RD = 0x8000, 0x0400, 0x0200, 0x0100
"""Header flags (RFC 1035 section 4.1.1)."""

EDNS_SIZE = 1232
"""The most a UDP answer holds: fits one frame on every path (DNS flag day 2020)."""
PLAIN_SIZE = 512
"""The same without EDNS (RFC 1035 section 2.3.4)."""

Heads = tuple[bytes, bytes, bytes, bytes]


class Packed:
    """One answer for many questions. Immutable."""

    __slots__ = ("bodies", "heads", "owners", "rcode", "size")

    def __init__(self, heads: Heads, bodies: tuple[bytes, ...], owners: frozenset[Name]) -> None:
        self.heads = heads
        """Header bytes 2 to 11, by (RD asked for) + 2 * (OPT follows)."""
        self.bodies = bodies
        """Answer and authority section, once per rotation."""
        self.size = len(bodies[0])
        self.rcode = heads[0][1:2]
        """The header's low flag byte, which is the rcode alone: RA and Z are clear."""
        self.owners = owners
        """Names in the answer besides the question's: if it is one of them, it runs in a loop
        and this is not its answer."""


_heads: dict[tuple[int, int, int], Heads] = {}


def heads(flags: int, answers: int, authorities: int) -> Heads:
    """Give the header bytes behind the id for those counts; the same ones are shared."""
    key = (flags, answers, authorities)
    made = _heads.get(key)
    if made is None:
        made = _heads[key] = (
            _head(flags, *key[1:], 0),
            _head(flags | RD, *key[1:], 0),
            _head(flags, *key[1:], 1),
            _head(flags | RD, *key[1:], 1),
        )
    return made


def _head(flags: int, answers: int, authorities: int, additionals: int) -> bytes:
    numbers = (QR | flags, 1, answers, authorities, additionals)
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def pack_rrset(rrset: RRset) -> Packed:
    """Pack the answer that consists of one RRset owned by the question's name."""
    turns = range(min(len(rrset.rdatas), ROTATIONS))
    bodies = tuple(rrset.pack(QUESTION_POINTER, turn) for turn in turns)
    return Packed(heads(AA, len(rrset.rdatas), 0), bodies, frozenset())


def pack_negative(origin: Name, soa: RRset, rcode: int) -> Packed:
    """Pack NXDOMAIN or NODATA: the zone's SOA (RFC 2308 section 2)."""
    return Packed(heads(AA | rcode, 0, 1), (soa.pack(origin),), frozenset())


REFUSAL = Packed(heads(REFUSED, 0, 0), (b"",), frozenset())
"""The name is in no zone of ours."""


def pack_chain(result: Result, name: Name) -> Packed | None:
    """Pack a CNAME chain found for `name`; None for what is not simply that (a referral)."""
    soa_only = all(rrset.rtype == SOA for _, rrset in result.authority)
    if result.rcode not in (NOERROR, NXDOMAIN) or result.additional or not soa_only:
        return None
    if any(rrset.rtype == SOA for _, rrset in result.answer):
        return None
    return Packed(
        heads(AA | result.rcode, _count(result.answer), _count(result.authority)),
        tuple(_bodies(result, name)),
        frozenset(owner for owner, _ in result.answer if owner != name),
    )


def _bodies(result: Result, name: Name) -> Iterable[bytes]:
    """Yield one body per order of the last RRset: the ones before have a single record."""
    last = len(result.answer[-1][1].rdatas)
    for turn in range(min(last, ROTATIONS)):
        yield b"".join(
            rrset.pack(QUESTION_POINTER if owner == name else owner, turn)
            for owner, rrset in result.answer + result.authority
        )


def _count(section: tuple[Owned, ...]) -> int:
    return sum(len(rrset.rdatas) for _, rrset in section)
