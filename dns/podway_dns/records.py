"""Resource records: type and response codes, RRsets, and their packed form.

RDATA is kept as uncompressed wire bytes (RFC 3597 section 4 lets nobody go wrong with that).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from podway_dns.names import Name

if TYPE_CHECKING:
    from podway_dns.packing import Packed

# Types (IANA "Resource Record (RR) TYPEs").
A, NS, CNAME, SOA, PTR, MX, TXT = 1, 2, 5, 6, 12, 15, 16
AAAA, SRV, NAPTR, DNAME, OPT, DS = 28, 33, 35, 39, 41, 43
SSHFP, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, TLSA = 44, 46, 47, 48, 50, 51, 52
SVCB, HTTPS, CAA = 64, 65, 257
HINFO = 13
IXFR, AXFR, MAILB, MAILA, ANY = 251, 252, 253, 254, 255
TKEY, TSIG = 249, 250

TYPE_NAMES: dict[int, str] = {
    A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", PTR: "PTR", MX: "MX", TXT: "TXT",
    AAAA: "AAAA", SRV: "SRV", NAPTR: "NAPTR", DNAME: "DNAME", DS: "DS", SSHFP: "SSHFP",
    TLSA: "TLSA", SVCB: "SVCB", HTTPS: "HTTPS", CAA: "CAA", HINFO: "HINFO", ANY: "ANY",
    AXFR: "AXFR", IXFR: "IXFR", DNSKEY: "DNSKEY", RRSIG: "RRSIG", NSEC: "NSEC",
}  # fmt: skip
"""What people call the types that they ask for; others are `TYPE123` (RFC 3597 section 5)."""

IN, CLASS_ANY = 1, 255

# Response codes (RFC 1035 section 4.1.1, 6672 for YXDOMAIN, 6891 and 7873 for the extended ones).
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN = 0, 1, 2, 3, 4, 5, 6
BADVERS, BADCOOKIE = 16, 23

RCODE_NAMES: dict[int, str] = {
    NOERROR: "NOERROR", FORMERR: "FORMERR", SERVFAIL: "SERVFAIL", NXDOMAIN: "NXDOMAIN",
    NOTIMP: "NOTIMP", REFUSED: "REFUSED", YXDOMAIN: "YXDOMAIN", BADVERS: "BADVERS",
    BADCOOKIE: "BADCOOKIE",
}  # fmt: skip

QUESTION_POINTER = b"\xc0\x0c"
"""Compression pointer to byte 12: the question's name (RFC 1035 section 4.1.4)."""
MAX_TTL = 2**31 - 1
"""RFC 2181 section 8."""
ROTATIONS = 8
"""Most orders in which an RRset is handed out; more would only cost memory."""


def type_name(rtype: int) -> str:
    """Give a type's mnemonic, or `TYPE123` (RFC 3597 section 5)."""
    return TYPE_NAMES.get(rtype) or f"TYPE{rtype}"


class RRset:
    """The records of one owner and type: a TTL (seconds) and their RDATA. Immutable.

    The owner is not part of it: a wildcard's RRset is handed out under many names.
    """

    __slots__ = ("code", "packed", "rdatas", "rtype", "ttl")

    def __init__(self, rtype: int, ttl: int, rdatas: Iterable[bytes]) -> None:
        self.rtype = rtype
        self.ttl = ttl
        self.rdatas = tuple(rdatas)
        self.code = rtype.to_bytes(2, "big")
        """The type as a question carries it."""
        self.packed: Packed | None = None
        """The answer in which these records are all there is, once somebody asked (`packing`)."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RRset) and self.key() == other.key()

    def __hash__(self) -> int:
        return hash(self.key())

    def __repr__(self) -> str:
        return f"RRset({type_name(self.rtype)}, {self.ttl}, {list(self.rdatas)!r})"

    def key(self) -> tuple[int, int, tuple[bytes, ...]]:
        """Give what makes two RRsets the same."""
        return (self.rtype, self.ttl, self.rdatas)

    def with_ttl(self, ttl: int) -> RRset:
        """Give the same records with another TTL."""
        return self if ttl == self.ttl else RRset(self.rtype, ttl, self.rdatas)

    def turned(self, turn: int) -> Iterator[bytes]:
        """Yield the RDATA beginning with another one each turn."""
        start = turn % min(len(self.rdatas), ROTATIONS)
        yield from self.rdatas[start:]
        yield from self.rdatas[:start]

    def pack(self, owner: bytes, turn: int = 0) -> bytes:
        """Give the records as wire bytes under `owner` (a name's bytes, or a pointer)."""
        head = owner + self.code + b"\0\1" + self.ttl.to_bytes(4, "big")
        return b"".join(head + len(rdata).to_bytes(2, "big") + rdata for rdata in self.turned(turn))


def target(rrset: RRset) -> Name:
    """Give the name that a CNAME, DNAME, NS or PTR RRset's first record points to."""
    return rrset.rdatas[0].lower()


def targets(rrset: RRset) -> Iterator[Name]:
    """Yield the host names in an NS RRset."""
    for rdata in rrset.rdatas:
        yield rdata.lower()


def soa_minimum(soa: RRset) -> int:
    """Give the MINIMUM field, the last four bytes of the RDATA (RFC 1035 section 3.3.13)."""
    return int.from_bytes(soa.rdatas[0][-4:], "big")


def soa_rdata(mname: Name, rname: Name, serial: int, timers: tuple[int, int, int, int]) -> bytes:
    """Build SOA RDATA; `timers` are refresh, retry, expire and minimum in seconds."""
    numbers = (serial & 0xFFFFFFFF, *timers)
    return mname + rname + b"".join(number.to_bytes(4, "big") for number in numbers)


def txt_rdata(*strings: bytes) -> bytes:
    """Build TXT RDATA; a string longer than 255 bytes is cut into several (RFC 1035 3.3.14)."""
    parts = [s[at : at + 255] for s in strings for at in range(0, max(len(s), 1), 255)]
    return b"".join(bytes((len(part),)) + part for part in parts)
