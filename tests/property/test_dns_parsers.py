"""Everything that reads bytes or text of others: any input, no exception, the right shape."""

from __future__ import annotations

import os
import random

import dns.message
import dns.name
from dns_zones import opt, query, zone
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_dns import names, sections
from podway_dns.answer import answer
from podway_dns.asked import Asked
from podway_dns.doh import HttpFraming
from podway_dns.framing import LengthFraming
from podway_dns.query import Query, Refused, read
from podway_dns.sources import txtfile
from podway_dns.zone import Snapshot

LABEL = st.binary(min_size=1, max_size=63)
NAME = st.lists(LABEL, max_size=3).map(lambda parts: names.from_labels(parts))
ZONE = Snapshot(
    [
        zone(
            "t.",
            {
                "a": [(1, [b"\1\1\1\1"]), (16, [b"\3abc"])],
                "*.w": [(1, [b"\1\1\1\1", b"\2\2\2\2"])],
                "c": [(5, [b"\1x\1w\1t\0"])],
                "cut": [(2, [b"\2ns\3cut\1t\0"])],
                "d": [(39, [b"\1w\1t\0"])],
            },
        )
    ]
)
SEEDS = [
    query(name, rtype, opt=tail)
    for name in (
        b"\1a\1t\0",
        b"\1q\1w\1t\0",
        b"\1c\1t\0",
        b"\1x\3cut\1t\0",
        b"\1x\1d\1t\0",
        b"\1u\0",
    )
    for rtype in (1, 16, 255)
    for tail in (b"", opt(), opt(options=b"\0\x0a\0\x08" + b"c" * 8))
]
MUTANTS = int(os.environ.get("PODWAY_FUZZ", "20000"))
"""`PODWAY_FUZZ=1000000 pytest tests/property/test_dns_parsers.py` takes some two minutes."""


@settings(deadline=None)
@given(NAME)
def test_names_round_trip(name: bytes) -> None:
    assert names.from_text(names.to_text(name)) == name


@settings(deadline=None)
@given(NAME)
def test_dnspython_reads_our_text_alike(name: bytes) -> None:
    theirs = dns.name.from_text(names.to_text(name)).to_wire()
    assert theirs is not None
    assert theirs.lower() == name


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_name_or_is_refused(text: str) -> None:
    try:
        name = names.from_text(text)
    except names.BadNameError:
        return
    assert len(name) <= 255
    assert list(names.labels(name)) or name == b"\0"


@settings(deadline=None)
@given(NAME, NAME)
def test_within(name: bytes, ancestor: bytes) -> None:
    whole = name[:-1] + ancestor
    assert names.is_within(whole, ancestor)
    assert names.is_within(name, ancestor) == (ancestor in (name, *names.ancestors(name)))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(SEEDS))
def test_what_we_read_dnspython_reads_alike(junk: bytes, seed: bytes) -> None:
    for message in (seed, seed[:12] + junk, junk, seed + junk):
        found = read(message)
        if isinstance(found, Query) and found.question:
            theirs = dns.message.from_wire(message, ignore_trailing=False)
            wire = theirs.question[0].name.to_wire()
            assert wire is not None
            assert wire.lower() == found.name
            assert theirs.question[0].rdtype == found.rtype
            assert (theirs.edns >= 0) == (found.edns is not None)
        elif isinstance(found, Refused):
            assert found.rcode in (1, 4)


def test_mutated_packets() -> None:
    """No exception, the asker's id, never an answer to an answer, never a longer one than fits."""
    dice = random.Random(1)
    for _ in range(MUTANTS):
        message = bytearray(dice.choice(SEEDS))
        for _ in range(dice.randrange(1, 4)):
            _mutate(dice, message)
        reply = answer(bytes(message), Asked(udp=True, secret=b"s" * 16), ZONE)
        if len(message) < 12 or message[2] & 0x80:
            assert reply is None
        else:
            assert reply is not None
            assert reply[:2] == message[:2]
            assert reply[2] & 0x80
            assert len(reply) <= 1232


def _mutate(dice: random.Random, message: bytearray) -> None:
    at = dice.randrange(len(message) + 1)
    kind = dice.randrange(4)
    if kind == 0:
        message[at:at] = dice.randbytes(dice.randrange(1, 8))
    elif kind == 1:
        del message[at : at + dice.randrange(1, 8)]
    elif at < len(message):
        message[at] = dice.randrange(256) if kind == 2 else message[at] ^ (1 << dice.randrange(8))
    message[:] = message or b"\0"


@settings(deadline=None)
@given(st.binary(max_size=120))
def test_sections_of_anything(junk: bytes) -> None:
    for data in (junk, b"\0\1\x80\0\0\1\0\1\0\0\0\0\1a\0\0\1\0\1" + junk):
        try:
            found = sections.read(data)
        except sections.MessageError:
            continue
        assert all(one.end <= len(data) for one in found.records)
        assert sections.lifetime(found, 10) <= 10
        assert len(sections.aged(found, 5)) == len(data)


@settings(deadline=None)
@given(st.data())
def test_a_stream_in_any_pieces(data: st.DataObject) -> None:
    messages = data.draw(st.lists(st.binary(min_size=1, max_size=40), max_size=6))
    whole = b"".join(len(one).to_bytes(2, "big") + one for one in messages)
    buffer, got, out, at = bytearray(), [], b"", 0
    while at < len(whole):
        size = data.draw(st.integers(1, 30))
        buffer += whole[at : at + size]
        at += size

        def keep(message: bytes) -> bytes:
            got.append(message)
            return message

        step = LengthFraming().feed(buffer, keep)
        del buffer[: step.consumed]
        out += step.output
    assert got == messages
    assert out == whole


REQUEST = (
    b"POST /dns-query HTTP/1.1\r\nHost: d\r\nContent-Type: application/dns-message\r\n"
    b"Content-Length: 3\r\n\r\nabcGET /dns-query?dns=YWJj HTTP/1.1\r\nHost: d\r\n\r\n"
)


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_http_in_any_pieces(sizes: list[int]) -> None:
    buffer, got, at = bytearray(), [], 0

    def keep(message: bytes) -> bytes:
        got.append(message)
        return b"reply"

    for size in [*sizes, len(REQUEST)]:
        buffer += REQUEST[at : at + size]
        at += size
        while (step := HttpFraming().feed(buffer, keep)).consumed:
            assert b"200 OK" in step.output
            del buffer[: step.consumed]
    assert got == [b"abc", b"abc"]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_http_of_anything(junk: bytes) -> None:
    for data in (junk, b"GET /dns-query?dns=" + junk + b" HTTP/1.1\r\nHost: d\r\n\r\n"):
        step = HttpFraming().feed(bytearray(data), lambda _: None)
        assert step.over or not step.consumed


@settings(deadline=None)
@given(st.text(max_size=200))
def test_txt_file_of_anything(text: str) -> None:
    found = txtfile.parse(text, "f")
    assert len(found.records) + len(found.problems) <= len(text.splitlines())
