"""What is counted of a query, whichever way it came and was answered."""

from __future__ import annotations

from collections import Counter

import pytest
from dns_zones import opt, query, zone

from podway_dns.limiter import Limiter
from podway_dns.meter import BOUNDS, COUNTERS, TRANSPORTS, Meter
from podway_dns.policy import Client, Policy
from podway_dns.server import Server
from podway_dns.zone import Snapshot
from podway_proxy.counters import Counters

ZONE = Snapshot([zone("t.", {"@": [(2, [b"\2ns\1t\0"])], "a": [(1, [b"\1\2\3\4"])]})])
NAME, MISSING = b"\1a\1t\0", b"\1b\1t\0"
AWAY = b"\xc0\0\2\1"
PLAIN, ODD = query(NAME, 1), query(NAME, 1, opt=opt(version=1))
"""What the fast path takes, and what it leaves to the slow one."""


def made(counters: Counters, rate: int = 0) -> Server:
    meter = Meter(counters)
    server = Server(meter, Policy(Limiter(rate, 0), None, None, meter, b""), b"")
    server.snapshot = ZONE
    return server


def counted(counters: Counters) -> dict[str, int]:
    return {name: value for name, value in counters.totals().items() if value}


def count(messages: list[bytes], transport: str) -> dict[str, int]:
    counters = Counters(names=COUNTERS)
    server = made(counters)
    if transport == "udp":
        server.answer_batch([one[2:] for one in messages], lambda _: b"id", lambda _: AWAY)
        server.meter.took("udp", 42_000, len(messages))
    else:
        for message in messages:
            server.answer(message, Client(transport, AWAY), lambda _: None)
    return counted(counters)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_count_is_there_for_each_transport(transport: str) -> None:
    messages = [PLAIN, PLAIN, query(MISSING, 28), ODD, b"junk"]
    found = count(messages, transport)
    assert found[f"queries_total:transport={transport}"] == 5
    assert found["questions_total:type=A"] == 3
    assert found["questions_total:type=AAAA"] == 1
    assert found["answers_total:rcode=NXDOMAIN"] == 1
    assert found["answers_total:rcode=NOERROR"] == 3  # BADVERS by its low bits
    assert found["paths_total:path=fast"] == 3
    assert found["paths_total:path=slow"] == 2
    assert found["dropped_total:reason=malformed"] == 1


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_durations_are_counted_by_transport_and_path(transport: str) -> None:
    found = count([PLAIN, PLAIN, ODD], transport)
    buckets: Counter[str] = Counter()
    for name, value in found.items():
        if name.startswith("query_seconds_bucket:"):
            buckets[name.rpartition(",")[0].partition(":")[2]] += value
    assert buckets == {f"transport={transport},path=fast": 2, f"transport={transport},path=slow": 1}
    for path in ("fast", "slow"):
        assert found[f"query_seconds_sum:transport={transport},path={path}"] > 0


def test_a_batch_takes_each_of_its_queries_as_long_as_all() -> None:
    found = count([PLAIN, PLAIN, ODD], "udp")
    assert found["query_seconds_bucket:transport=udp,path=fast,le=0.00005"] == 2
    assert found["query_seconds_sum:transport=udp,path=fast"] == 2 * 42_000
    assert found["query_seconds_sum:transport=udp,path=slow"] == 42_000
    assert found["busy_microseconds_total"] == 42


@pytest.mark.parametrize(
    ("nanoseconds", "le"),
    [(0, BOUNDS[0]), (10_000, BOUNDS[0]), (10_001, BOUNDS[1]), (10**8 + 1, "+Inf")],
)
def test_a_bound_belongs_to_the_bucket_below_it(nanoseconds: int, le: str) -> None:
    counters = Counters(names=COUNTERS)
    Meter(counters).took("tcp", nanoseconds, 1)
    assert counted(counters)[f"query_seconds_bucket:transport=tcp,path=fast,le={le}"] == 1


def test_what_the_limit_drops_and_what_is_truncated() -> None:
    counters = Counters(names=COUNTERS)
    server = made(counters, rate=1)
    for _ in range(3):
        (reply,), (found,) = server.answer_batch([PLAIN[2:]], lambda _: b"id", lambda _: AWAY)
        server.policy.treat(ZONE, PLAIN, b"id" + reply, Client("udp", AWAY), found, lambda _: None)
    assert counted(counters)["dropped_total:reason=rate"] == 2
    many = [(1, [bytes((10, 0, 0, n)) for n in range(60)])]
    server.snapshot = Snapshot([zone("t.", {"@": [(2, [b"\2ns\1t\0"])], "a": many})])
    server.answer_batch([PLAIN[2:]], lambda _: b"id", lambda _: AWAY)
    assert counted(counters)["truncated_total"] == 1
