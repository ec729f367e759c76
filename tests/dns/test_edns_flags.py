"""RFC 8906 section 8 and RFC 6891, row by row, and the header's flags: bytes in, bytes out."""

from __future__ import annotations

import dns.message
import pytest
from dns_zones import opt, query, zone

from podway_dns.answer import answer
from podway_dns.asked import Asked
from podway_dns.zone import Snapshot

APEX = b"\1t\0"
SECRET = bytes(range(16))
ZONE = Snapshot([zone("t.", {"@": [(2, [b"\2ns\1t\0"])], "a": [(1, [b"\1\2\3\4"])]})])
CLIENT_COOKIE = bytes.fromhex("2464c4abcf10c957")


def ask(message: bytes, *, udp: bool = True, snapshot: Snapshot | None = ZONE) -> bytes | None:
    return answer(message, Asked(udp=udp, now=1_559_731_985, secret=SECRET), snapshot)


def read(message: bytes) -> dns.message.Message:
    reply = ask(message)
    assert reply is not None
    return dns.message.from_wire(reply)


def header(flags: int, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    return b"\0\7" + b"".join(number.to_bytes(2, "big") for number in (flags, *counts))


QUESTION = APEX + b"\0\6\0\1"


# (row of RFC 8906 section 8, query, rcode, answers there, EDNS in the answer: version or -1)
ROWS = [
    ("8.1.1 plain", query(APEX, 6, rd=0), 0, True, -1),
    ("8.1.2 unknown type", query(APEX, 1000, rd=0), 0, False, -1),
    ("8.1.3.1 CD", header(0x0010) + QUESTION, 0, True, -1),
    ("8.1.3.2 AD", header(0x0020) + QUESTION, 0, True, -1),
    ("8.1.3.3 reserved bit", header(0x0040) + QUESTION, 0, True, -1),
    ("8.1.3.4 RD", header(0x0100) + QUESTION, 0, True, -1),
    ("8.1.4 unknown opcode", header(0x7800, (0, 0, 0, 0)), 4, False, -1),
    ("8.2.1 EDNS", query(APEX, 6, rd=0, opt=opt()), 0, True, 0),
    ("8.2.2 EDNS version 1", query(APEX, 6, rd=0, opt=opt(version=1)), 16, False, 0),
    ("8.2.3 unknown option", query(APEX, 6, rd=0, opt=opt(options=b"\0\x64\0\0")), 0, True, 0),
    (
        "8.2.4 unknown flag",
        query(APEX, 6, rd=0, opt=b"\0\0\x29\4\xd0\0\0\0\x40\0\0"),
        0, True, 0,
    ),
    (
        "8.2.5 version 1, unknown flag",
        query(APEX, 6, rd=0, opt=b"\0\0\x29\4\xd0\0\1\0\x40\0\0"),
        16, False, 0,
    ),
    (
        "8.2.6 version 1, unknown option",
        query(APEX, 6, rd=0, opt=opt(version=1, options=b"\0\x64\0\0")),
        16, False, 0,
    ),
    ("8.2.7 truncated", query(APEX, 6, rd=0, opt=opt(512, do=True)), 0, True, 0),
    ("8.2.8 DO", query(APEX, 6, rd=0, opt=opt(do=True)), 0, True, 0),
    (
        "8.2.9 version 1, DO",
        query(APEX, 6, rd=0, opt=opt(version=1, do=True)),
        16, False, 0,
    ),
    (
        "8.2.10 several options",
        query(APEX, 6, rd=0, opt=opt(options=b"\0\3\0\0\0\x08\0\4\0\1\0\0\0\x09\0\0")),
        0, True, 0,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "rcode", "answers", "edns"), [row[1:] for row in ROWS],
                         ids=[row[0] for row in ROWS])  # fmt: skip
def test_rfc_8906(message: bytes, rcode: int, answers: bool, edns: int) -> None:
    reply = read(message)
    assert reply.rcode() == rcode
    assert bool(reply.answer) == answers
    assert reply.edns == edns
    assert bool(reply.flags & dns.flags.AA) == answers or rcode == 0
    assert not reply.flags & (dns.flags.AD | dns.flags.CD | dns.flags.RA | 0x40)
    assert bool(reply.flags & dns.flags.RD) == bool(message[2] & 1)
    if edns == 0:
        assert bool(reply.ednsflags & 0x8000) == (message.endswith(b"\x80\0\0\0"))
        assert not reply.ednsflags & 0x4000
        assert not reply.options


def test_dropped() -> None:
    for message in (b"", b"\0" * 11, header(0x8000) + QUESTION, header(0x8100) + QUESTION):
        assert ask(message) is None


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
def test_other_opcodes_are_not_implemented(opcode: int) -> None:
    reply = ask(header(opcode << 11) + QUESTION)
    assert reply is not None
    assert reply[3] & 15 == 4
    assert reply[2] == 0x80 | opcode << 3


MALFORMED = [
    header(0, (2, 0, 0, 0)) + QUESTION * 2,  # RFC 9619
    header(0, (0, 0, 0, 0)),
    header(0, (1, 1, 0, 0)) + QUESTION + APEX + b"\0\1\0\1\0\0\0\1\0\4abcd",
    header(0) + QUESTION + b"trailing",
    header(0) + b"\xc0\x0c\0\1\0\1",
    header(0) + b"\x40" + b"a" * 64 + b"\0\0\1\0\1",
    header(0) + b"\5ab\0\0\1\0\1",
    header(0) + b"\1a" * 128 + b"\0\0\1\0\1",
    header(0)[:12] + QUESTION[:-1],
    header(0, (1, 0, 0, 2)) + QUESTION + opt() + opt(),  # RFC 6891 section 6.1.1
    header(0, (1, 0, 0, 1)) + QUESTION + b"\1x" + opt(),
    header(0, (1, 0, 0, 1)) + QUESTION + opt(options=b"\0\3\0\x09a"),
    query(APEX, 6, opt=opt(options=b"\0\x0a\0\x07" + b"c" * 7)),  # RFC 7873 section 5.2.2
    query(APEX, 6, opt=opt(options=b"\0\x0a\0\x09" + b"c" * 9)),
    query(APEX, 6, opt=opt(options=b"\0\x0a\0\x29" + b"c" * 41)),
]


@pytest.mark.parametrize("message", MALFORMED)
def test_formerr(message: bytes) -> None:
    reply = ask(message)
    assert reply is not None
    assert reply[:2] == message[:2]
    assert reply[3] & 15 == 1
    assert dns.message.from_wire(reply).edns == (0 if b"\0\0\x29" in message else -1)


@pytest.mark.parametrize(
    ("rtype", "rcode"),
    [(252, 5), (251, 5), (253, 4), (254, 4), (249, 4), (250, 1), (41, 1)],
)
def test_types_that_are_no_data(rtype: int, rcode: int) -> None:
    assert read(query(APEX, rtype)).rcode() == rcode


def test_class() -> None:
    assert read(query(APEX, 6)[:-2] + b"\0\3").rcode() == 5
    anything = read(query(APEX, 6)[:-2] + b"\0\xff")
    assert anything.rcode() == 0
    assert not anything.flags & dns.flags.AA


def test_before_the_first_load() -> None:
    reply = ask(query(APEX, 6, opt=opt()), snapshot=None)
    assert reply is not None
    assert dns.message.from_wire(reply).rcode() == 2
    assert dns.message.from_wire(reply).edns == 0


def test_case_is_echoed() -> None:
    message = query(b"\1A\1T\0", 1)
    for tail in (b"", opt(), opt(options=b"\0\x64\0\0")):
        reply = ask(query(b"\1A\1T\0", 1, opt=tail))
        assert reply is not None
        assert message[12:] in reply


def test_cookie_only_query() -> None:
    options = b"\0\x0a\0\x08" + CLIENT_COOKIE
    reply = read(header(0, (0, 0, 0, 1)) + opt(options=options))
    assert reply.rcode() == 0
    assert len(reply.options) == 1


def test_any_is_minimal_over_udp_and_whole_over_tcp() -> None:
    assert len(read(query(APEX, 255)).answer) == 1
    reply = ask(query(APEX, 255), udp=False)
    assert reply is not None
    assert len(dns.message.from_wire(reply).answer) == 2
