"""The fast path and the slow path give the same answer: random zones, random queries."""

from __future__ import annotations

import dns.message
from dns_zones import opt, query, relative, snapshots
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_dns import cookied, cookies, fast, names, slow
from podway_dns.asked import Asked
from podway_dns.zone import Snapshot

QTYPES = st.sampled_from([1, 1, 28, 16, 5, 2, 39, 15, 6, 65, 255, 43, 252, 41, 9999])
TAILS = st.sampled_from([b"", opt(), opt(100), opt(600, do=True), opt(4096), opt(version=1)])


def meaning(wire: bytes) -> tuple[object, ...]:
    """Give what a message says, compression apart; dnspython reads it."""
    message = dns.message.from_wire(wire, one_rr_per_rrset=True)
    sections = [[rrset.to_text().lower() for rrset in section] for section in message.sections]
    return (
        message.id,
        message.flags,
        message.rcode(),
        message.edns,
        message.ednsflags,
        message.payload,
        message.options,
        sections,
    )


@settings(max_examples=200, deadline=None)
@given(
    snapshot=snapshots(), owner=relative(4), rtype=QTYPES, tail=TAILS, rd=st.integers(0, 1),
    udp=st.booleans(), turn=st.integers(0, 9), outside=st.booleans(), upper=st.booleans(),
)  # fmt: skip
def test_fast_path_agrees_with_the_slow_one(
    snapshot: Snapshot, owner: str, rtype: int, tail: bytes, rd: int, udp: bool, turn: int,
    outside: bool, upper: bool,
) -> None:  # fmt: skip
    name = names.from_text(owner, b"\1u\0" if outside else b"\1t\0")
    message = query(name.upper() if upper else name, rtype, rd=rd, opt=tail)
    for _ in range(2):  # the second time from what the first has kept
        quick = fast.answer(message, snapshot, udp, turn)
        if quick is None:
            continue
        whole = slow.answer(message, Asked(udp=udp, turn=turn), snapshot)
        assert whole is not None
        assert meaning(quick) == meaning(whole)


@settings(max_examples=150, deadline=None)
@given(snapshot=snapshots(), junk=st.binary(max_size=60), head=st.binary(min_size=12, max_size=12))
def test_what_the_slow_path_calls_malformed_the_fast_path_leaves_alone(
    snapshot: Snapshot, junk: bytes, head: bytes
) -> None:
    for message in (head + junk, b"\0\1\1\0\0\1\0\0\0\0\0\0" + junk, junk):
        quick = fast.answer(message, snapshot, True, 0)
        whole = slow.answer(message, Asked(udp=True), snapshot)
        if quick is not None:
            assert whole is not None
            assert quick[:4] == whole[:4]
        if whole is not None:
            assert whole[:2] == message[:2]
            assert whole[2] & 0x80


COOKIES = st.one_of(
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=24, max_size=24),
    st.just(b"\2" * 8),
    st.binary(max_size=42),
)


@settings(max_examples=150, deadline=None)
@given(
    snapshot=snapshots(), owner=relative(4), rtype=QTYPES, cookie=COOKIES, udp=st.booleans(),
    size=st.sampled_from([0, 512, 600, 1232]), again=st.booleans(),
)  # fmt: skip
def test_a_query_with_a_cookie_gets_the_same_by_both(
    snapshot: Snapshot, owner: str, rtype: int, cookie: bytes, udp: bool, size: int, again: bool
) -> None:
    asked = Asked(udp=udp, now=1_700_000_000, secret=b"s" * 16)
    if again and len(cookie) == 8:
        cookie = cookies.answer_option(cookie, asked.client, asked.now - 1000, asked.secret)
    option = b"\0\x0a" + len(cookie).to_bytes(2, "big") + cookie
    message = query(names.from_text(owner, b"\1t\0"), rtype, opt=opt(size, options=option))
    quick = cookied.answer(message, asked, snapshot)
    if quick is not None:
        whole = slow.answer(message, asked, snapshot)
        assert whole is not None
        assert meaning(quick) == meaning(whole)
