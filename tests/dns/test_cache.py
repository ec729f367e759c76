"""Kept answers: TTLs that go down, negative ones, bounds; what a client gets of them."""

from __future__ import annotations

import dns.message
import dns.rrset
from dns_zones import opt, query

from podway_dns import cache, sections
from podway_dns.cache import Cache
from podway_dns.query import Query, read
from podway_dns.resolved import fitted


def message(
    name: str = "a.test.", *, rcode: int = 0, ttl: int = 60, soa: int = 0
) -> sections.Message:
    made = dns.message.make_response(dns.message.make_query(name, "A"))
    made.set_rcode(rcode)
    if rcode == 0 and not soa:
        made.answer.append(dns.rrset.from_text(name, ttl, "IN", "A", "192.0.2.1"))
    if soa:
        text = f"ns.test. hm.test. 1 2 3 4 {soa}"
        made.authority.append(dns.rrset.from_text("test.", ttl, "IN", "SOA", text))
    return sections.read(made.to_wire())


def ttl_of(data: bytes) -> int:
    return int(dns.message.from_wire(data).answer[0].ttl)


def test_ttl_goes_down_and_ends() -> None:
    kept = Cache()
    kept.put(b"k", message(), 100.0)
    found = kept.get(b"k", 130.5)
    assert found is not None
    assert ttl_of(found) == 30
    assert kept.get(b"k", 160.0) is None
    assert len(kept) == 0


def test_what_is_not_kept() -> None:
    kept = Cache()
    kept.put(b"servfail", message(rcode=2), 0)
    kept.put(b"zero", message(ttl=0), 0)
    kept.put(b"no soa", message(rcode=3), 0)
    assert len(kept) == 0


def test_negative_for_the_minimum_of_its_soa() -> None:
    kept = Cache()
    kept.put(b"n", message(rcode=3, soa=20), 0)
    assert kept.get(b"n", 19) is not None
    assert kept.get(b"n", 20) is None
    kept.put(b"n", message(rcode=3, ttl=9999, soa=9999), 0)
    assert kept.get(b"n", cache.LONGEST_NEGATIVE) is None


def test_bounds() -> None:
    kept, one = Cache(), message()
    for n in range(cache.MOST_ANSWERS + 10):
        kept.put(b"%d" % n, one, 0)
    assert len(kept) == cache.MOST_ANSWERS
    assert kept.get(b"0", 1) is None
    assert kept.get(b"%d" % cache.MOST_ANSWERS, 1) is not None


def test_a_client_gets_its_own_id_case_and_opt() -> None:
    asked = read(query(b"\1A\4test\0", 1, opt=opt(do=True), qid=77))
    assert isinstance(asked, Query)
    reply = dns.message.from_wire(fitted(message(), asked, 1232))
    assert reply.id == 77
    assert reply.question[0].name.to_text() == "A.test."
    assert reply.edns == 0
    assert reply.ednsflags & 0x8000
    assert reply.flags & dns.flags.RA
    assert not reply.flags & dns.flags.AA
    short = dns.message.from_wire(fitted(message(), asked, 40))
    assert short.flags & dns.flags.TC
    assert not short.answer
    assert short.edns == 0


def test_opt_is_taken_out() -> None:
    made = dns.message.make_response(dns.message.make_query("a.test.", "A", use_edns=0))
    assert made.edns == 0
    found = sections.without_opt(sections.read(made.to_wire()))
    assert dns.message.from_wire(found.data).edns == -1
