"""A batch of datagrams gets, slot by slot, what each message would get by itself."""

from __future__ import annotations

import dns.message
from dns_zones import opt, query, relative, snapshots
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_dns import names
from podway_dns.answer import answer
from podway_dns.asked import Asked
from podway_dns.limiter import Limiter
from podway_dns.meter import COUNTERS, Meter
from podway_dns.policy import Policy
from podway_dns.server import Server
from podway_dns.zone import Snapshot
from podway_proxy.counters import Counters

QUERIES = st.builds(
    lambda owner, rtype, tail: query(names.from_text(owner, b"\1t\0"), rtype, opt=tail),
    relative(3),
    st.sampled_from([1, 1, 1, 28, 16, 5, 255, 252]),
    st.sampled_from([b"", opt(), opt(600), opt(version=1)]),
)
MESSAGES = st.lists(st.one_of(QUERIES, QUERIES, st.binary(min_size=2, max_size=20)), max_size=12)


def meaning(wire: bytes) -> tuple[object, ...]:
    """Give what a message says; the order inside an RRset is the rotation's and left out."""
    message = dns.message.from_wire(wire)
    sections = [sorted(sorted(one.to_text().splitlines()) for one in s) for s in message.sections]
    return message.id, message.flags, message.rcode(), message.edns, sections


@settings(max_examples=40, deadline=None)
@given(snapshot=snapshots(), messages=MESSAGES)
def test_a_batch_is_answered_as_its_messages_are(snapshot: Snapshot, messages: list[bytes]) -> None:
    meter = Meter(Counters(names=COUNTERS))
    server = Server(meter, Policy(Limiter(0, 0), None, None, meter, b""), b"")
    server.snapshot = snapshot
    for _ in range(2):  # the second time from what the first has kept
        replies, founds = server.answer_batch(
            [message[2:] for message in messages],
            lambda slot: messages[slot][:2],
            lambda _: b"\xc0\0\2\1",
        )
        assert len(replies) == len(founds) == len(messages)
        for message, reply in zip(messages, replies, strict=True):
            alone = answer(message, Asked(udp=True), snapshot)
            assert bool(reply) == (alone is not None)
            if alone is not None and len(message) >= 12:
                assert alone[:2] == message[:2]
                assert meaning(message[:2] + reply) == meaning(alone)
