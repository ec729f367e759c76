"""The whole of the protocol, on dnslib: every query may come here, most need not.

`answer` is pure. dnslib reads the message a second time, after our own strict reading, so that
what it refuses is refused; and it packs the answer. The question goes back byte for byte.
"""

from __future__ import annotations

import dnslib

from podway_dns import cookies
from podway_dns.asked import Asked
from podway_dns.lookup import OUTSIDE, Owned, Result, lookup
from podway_dns.names import Name, labels
from podway_dns.packing import EDNS_SIZE, PLAIN_SIZE
from podway_dns.query import COOKIE, HEADER, Edns, Query, Refused, read
from podway_dns.records import (
    ANY,
    AXFR,
    BADVERS,
    CLASS_ANY,
    FORMERR,
    IN,
    IXFR,
    MAILA,
    MAILB,
    NOERROR,
    NOTIMP,
    OPT,
    SERVFAIL,
    TKEY,
    TSIG,
)
from podway_dns.zone import Snapshot

_NEVER = {AXFR: OUTSIDE, IXFR: OUTSIDE, MAILA: Result(NOTIMP, authoritative=False)}
"""Question types that are no data: transfers are refused, the obsolete ones unknown to us."""
_NEVER |= {MAILB: _NEVER[MAILA], TSIG: Result(FORMERR, False), TKEY: Result(NOTIMP, False)}
_NEVER |= {OPT: Result(FORMERR, False)}


def answer(message: bytes, asked: Asked, snapshot: Snapshot | None) -> bytes | None:
    """Answer a message; None: it gets no answer. Without a snapshot: SERVFAIL."""
    query = read(message)
    if query is None:
        return None
    if isinstance(query, Refused):
        return _refuse(query)
    if query.edns is not None and query.edns.version > 0:
        return _pack(query, Result(BADVERS, authoritative=False), asked, b"")
    option = query.edns.cookie if query.edns else None
    if option is not None and not cookies.well_formed(option):
        return _pack(query, Result(FORMERR, authoritative=False), asked, b"")
    cookie = _cookie(option, asked)
    if not query.question:
        return _pack(query, Result(NOERROR, authoritative=False), asked, cookie)
    if not _dnslib_reads(message):
        return _pack(query, Result(FORMERR, authoritative=False), asked, cookie)
    return _pack(query, _result(query, asked, snapshot), asked, cookie)


def _cookie(option: bytes | None, asked: Asked) -> bytes:
    if option is None or not asked.secret:
        return b""
    return cookies.answer_option(option, asked.client, asked.now, asked.secret)


def _dnslib_reads(message: bytes) -> bool:
    """Let dnslib read the message: what it can't is malformed, whatever we think of it."""
    try:
        dnslib.DNSRecord.parse(message)
    except (dnslib.DNSError, ValueError, TypeError, IndexError, KeyError):
        return False
    return True


def _result(query: Query, asked: Asked, snapshot: Snapshot | None) -> Result:
    if snapshot is None:
        return Result(SERVFAIL, authoritative=False)
    if query.rclass not in (IN, CLASS_ANY):
        return OUTSIDE
    never = _NEVER.get(query.rtype)
    if never is not None:
        return never
    result = lookup(snapshot, query.name, query.rtype)
    if query.rtype == ANY and asked.udp:
        result = _minimal_any(query.name, result)
    if query.rclass == CLASS_ANY:  # RFC 1034 section 3.7.1: never authoritative
        result = result._replace(authoritative=False)
    return result


def _minimal_any(name: Name, result: Result) -> Result:
    """Answer ANY with one RRset only (RFC 8482 section 4.1); a DNAME needs its CNAME, too."""
    if not result.answer or result.answer[0][0] != name:
        return result
    return result._replace(answer=result.answer[:1])


def _refuse(refused: Refused) -> bytes:
    """Build the answer to a message that could not be read to its end."""
    flags = 0x8000 | (refused.message[2] & 0x79) << 8 | refused.rcode
    counts = (1 if refused.question else 0, 0, 0, 1 if refused.edns else 0)
    head = refused.message[:2] + b"".join(n.to_bytes(2, "big") for n in (flags, *counts))
    opt = b"\0\0\x29" + EDNS_SIZE.to_bytes(2, "big") + bytes(6)
    return head + refused.question + (opt if refused.edns else b"")


def _pack(query: Query, result: Result, asked: Asked, cookie: bytes) -> bytes:
    whole = _build(query, result, asked.turn, cookie)
    if len(whole) <= _room(query.edns, asked):
        return whole
    bare = Result(result.rcode, result.authoritative)
    return _build(query, bare, asked.turn, cookie, truncated=True)


def _room(edns: Edns | None, asked: Asked) -> int:
    """Tell how long the answer may be: RFC 6891 section 6.2.3 and 6.2.5."""
    if not asked.udp:
        return 65_535
    return PLAIN_SIZE if edns is None else min(max(edns.size, PLAIN_SIZE), EDNS_SIZE)


def _build(
    query: Query, result: Result, turn: int, cookie: bytes, *, truncated: bool = False
) -> bytes:
    header = dnslib.DNSHeader(id=int.from_bytes(query.message[:2], "big"), bitmap=0x8000)
    header.rd = int(query.rd)
    header.aa = int(result.authoritative)
    header.tc = int(truncated)
    header.rcode = result.rcode & 15
    reply = dnslib.DNSRecord(header)
    if query.question:
        reply.add_question(_question(query))
    reply.add_answer(*_records(result.answer, query, turn))
    reply.add_auth(*_records(result.authority, query, 0))
    reply.add_ar(*_records(result.additional, query, 0))
    if query.edns is not None:
        reply.add_ar(_opt(query.edns, result.rcode, cookie))
    wire = bytes(reply.pack())
    end = HEADER + len(query.question)
    return wire[:HEADER] + query.question + wire[end:]


def _question(query: Query) -> dnslib.DNSQuestion:
    name = _label(query.question[:-4])
    return dnslib.DNSQuestion(name, query.rtype, query.rclass)


def _label(name: bytes) -> dnslib.DNSLabel:
    return dnslib.DNSLabel(list(labels(name)))


def _records(section: tuple[Owned, ...], query: Query, turn: int) -> list[dnslib.RR]:
    """Give dnslib's records; the question's own name keeps its letters' case."""
    return [
        dnslib.RR(
            _label(query.question[:-4] if owner == query.name else owner),
            rrset.rtype,
            IN,
            rrset.ttl,
            dnslib.RD(rdata),
        )
        for owner, rrset in section
        for rdata in rrset.turned(turn)
    ]


def _opt(edns: Edns, rcode: int, cookie: bytes) -> dnslib.RR:
    """Give our OPT record: version 0, DO copied (RFC 3225 section 3), all else clear."""
    options = [dnslib.EDNSOption(COOKIE, cookie)] if cookie else []
    flags = "do" if edns.do else ""
    return dnslib.EDNS0(flags=flags, ext_rcode=rcode >> 4, udp_len=EDNS_SIZE, opts=options)
