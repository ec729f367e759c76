"""Response-rate limiting, and the truncated answer that a slip sends."""

from __future__ import annotations

import dns.message
from dns_zones import opt, query, zone

from podway_dns.answer import answer
from podway_dns.asked import Asked
from podway_dns.limiter import DROP, PASS, SLIP, Limiter, truncated
from podway_dns.zone import Snapshot

CLIENT, NEIGHBOUR, OTHER = b"\xc0\0\2\1", b"\xc0\0\2\2", b"\xc6\x33\x64\1"


def test_limit_slip_and_the_next_second() -> None:
    limit = Limiter(3, 2)
    assert [limit.judge(CLIENT, "k", 1) for _ in range(3)] == [PASS] * 3
    assert [limit.judge(NEIGHBOUR, "k", 1) for _ in range(4)] == [DROP, SLIP, DROP, SLIP]
    assert limit.judge(OTHER, "k", 1) == PASS
    assert limit.judge(CLIENT, "other", 1) == PASS
    assert limit.judge(CLIENT, "k", 2) == PASS


def test_this_host_is_not_limited() -> None:
    limit = Limiter(1, 0)
    for client in (b"\x7f\0\0\1", b"\x7f\1\2\3", bytes(15) + b"\1"):
        assert {limit.judge(client, "k", 1) for _ in range(5)} == {PASS}
    assert [limit.judge(CLIENT, "k", 1) for _ in range(3)] == [PASS, DROP, DROP]


def test_ipv6_counts_by_56_bits() -> None:
    limit = Limiter(1, 0)
    base = bytes.fromhex("20010db8000001")
    assert limit.judge(base + bytes(9), "k", 1) == PASS
    assert limit.judge(base + b"\1" * 9, "k", 1) == DROP


def test_truncated() -> None:
    zones = Snapshot([zone("t.", {"a": [(1, [b"\1\1\1\1"])]})])
    for tail in (b"", opt()):
        reply = answer(query(b"\1A\1t\0", 1, opt=tail), Asked(udp=True), zones)
        assert reply is not None
        short = dns.message.from_wire(truncated(reply))
        assert short.flags & dns.flags.TC
        assert not short.answer
        assert short.question[0].name.to_text() == "A.t."
        assert truncated(reply)[:2] == reply[:2]
