from __future__ import annotations

import pytest

from podway_proxy.crc32c import crc32c
from podway_proxy.proxy_protocol import (
    ALPN,
    AUTHORITY,
    CRC32C,
    NOOP,
    SIGNATURE,
    SSL,
    UNIQUE_ID,
    Header,
    encode_v1,
    encode_v2,
    encode_v2_local,
    sniff_header,
)
from podway_proxy.verdict import Found, NeedMore, Reject

CLIENT, LOCAL = ("192.0.2.1", 40_001), ("198.51.100.7", 443)
CLIENT6, LOCAL6 = ("2001:db8::1", 40_001), ("2001:db8::7", 443)


def v2(command: int, family: int, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return SIGNATURE + bytes((command, family)) + size.to_bytes(2, "big") + body


def tlv(kind: int, value: bytes, length: int | None = None) -> bytes:
    return bytes((kind,)) + (len(value) if length is None else length).to_bytes(2, "big") + value


PAIR4 = b"\xc0\x00\x02\x01\xc6\x33\x64\x07\x9c\x41\x01\xbb"


def reason(data: bytes) -> str:
    verdict = sniff_header(data)
    assert isinstance(verdict, Reject), verdict
    return verdict.reason


def test_v2_bytes_are_those_of_the_specification() -> None:
    assert encode_v2(CLIENT, LOCAL) == v2(0x21, 0x11, PAIR4)
    assert encode_v2_local() == v2(0x20, 0x00, b"")


def test_v1_bytes_are_those_of_the_specification() -> None:
    assert encode_v1(CLIENT, LOCAL) == b"PROXY TCP4 192.0.2.1 198.51.100.7 40001 443\r\n"
    assert encode_v1(CLIENT6, LOCAL6) == b"PROXY TCP6 2001:db8::1 2001:db8::7 40001 443\r\n"


def test_two_families_become_ipv6() -> None:
    mapped = (f"::ffff:{CLIENT[0]}", CLIENT[1])
    for data in (encode_v1(CLIENT, LOCAL6), encode_v2(CLIENT, LOCAL6)):
        assert sniff_header(data) == Found(Header(mapped, LOCAL6), len(data))


def test_fields_and_checksum() -> None:
    data = encode_v2(
        CLIENT, LOCAL, [(ALPN, b"h2"), (NOOP, b"xx"), (AUTHORITY, b"a.test")], crc=True
    )
    verdict = sniff_header(data + b"GET /")
    assert isinstance(verdict, Found)
    assert verdict.consumed == len(data)
    tlvs = dict(verdict.value.tlvs)
    assert len(tlvs.pop(CRC32C)) == 4
    assert tlvs == {ALPN: b"h2", AUTHORITY: b"a.test"}


def test_the_checksum_covers_the_whole_header_with_its_own_value_zeroed() -> None:
    data = encode_v2(CLIENT, LOCAL, crc=True)
    assert data[-7:-4] == b"\x03\x00\x04"
    assert crc32c(data[:-4] + bytes(4)) == int.from_bytes(data[-4:], "big")


@pytest.mark.parametrize("at", range(12, 28))
def test_a_flipped_byte_fails_the_checksum(at: int) -> None:
    data = bytearray(encode_v2(CLIENT, LOCAL, crc=True))
    data[at] ^= 0x40
    assert not isinstance(sniff_header(bytes(data)), Found)


def test_too_many_fields_to_send() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        encode_v2(CLIENT, LOCAL, [(0xE0, bytes(65_500))])


@pytest.mark.parametrize(
    "data",
    [
        v2(0x20, 0x00, b""),
        v2(0x20, 0x11, PAIR4),
        v2(0x20, 0xFF, b"anything"),
        v2(0x21, 0x00, b""),
        v2(0x21, 0x31, bytes(216)),
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
    ],
)
def test_senders_that_do_not_tell(data: bytes) -> None:
    assert sniff_header(data + b"x") == Found(Header(None, None), len(data))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"G", "no PROXY header"),
        (b"\x16\x03\x01", "no PROXY header"),
        (b"PROXZ", "no PROXY header"),
        (b"PROXY  ", "malformed"),
        (b"PROXY UDP4", "malformed"),
        (b"PROXY TCP5", "malformed"),
        (b"PROXY TCP4 1.2.3.4\t", "malformed"),
        (b"PROXY TCP4 1.2.3.4\rx", "malformed"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", "malformed"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1  2\r\n", "malformed"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", "malformed"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", "malformed"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", "malformed"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", "malformed"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", "malformed"),
        (b"PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n", "malformed"),
        (b"PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n", "malformed"),
        (b"PROXY TCP4 ::1 ::1 1 2\r\n", "malformed"),
        (b"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", "malformed"),
        (b"PROXY TCP6 fe80::1%lo ::1 1 2\r\n", "malformed"),
        (b"PROXY UNKNOWNX\r\n", "malformed"),
        (b"PROXY UNKNOWN \0\r\n", "malformed"),
        (b"PROXY UNKNOWN " + b"x" * 100, "more than 107"),
        (b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", "more than 107"),
    ],
)
def test_v1_refusals(data: bytes, words: str) -> None:
    assert words in reason(data)


def test_the_longest_line_is_taken() -> None:
    longest = b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n"
    assert len(longest) == 107
    assert isinstance(sniff_header(longest), Found)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (SIGNATURE + b"\x11", "version or command"),
        (SIGNATURE + b"\x22", "version or command"),
        (SIGNATURE + b"\x31", "version or command"),
        (v2(0x21, 0x12, PAIR4), "transport"),
        (v2(0x21, 0x22, bytes(36)), "transport"),
        (v2(0x21, 0x32, bytes(216)), "transport"),
        (v2(0x21, 0x10, PAIR4), "transport"),
        (v2(0x21, 0x41, PAIR4), "transport"),
        (v2(0x21, 0x11, b"", length=11), "too short"),
        (v2(0x21, 0x21, b"", length=35), "too short"),
        (v2(0x21, 0x31, b"", length=215), "too short"),
        (v2(0x21, 0x11, b"", length=4_081), "limit"),
        (v2(0x20, 0x00, b"", length=65_535), "limit"),
        (v2(0x21, 0x11, PAIR4 + b"\x01"), "field"),
        (v2(0x21, 0x11, PAIR4 + b"\x01\x00"), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(ALPN, b"h2", length=3)), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(NOOP, b"", length=1)), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(ALPN, b"h2") * 2), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(UNIQUE_ID, bytes(129))), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(SSL, bytes(4))), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(SSL, bytes(7))), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(AUTHORITY, b"") * 2), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(SSL, bytes(5) + tlv(0x21, b"x", length=9))), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(CRC32C, bytes(3))), "field"),
        (v2(0x21, 0x11, PAIR4 + tlv(CRC32C, bytes(4))), "checksum"),
        (v2(0x21, 0x00, tlv(ALPN, b"h2", length=3)), "field"),
    ],
)
def test_v2_refusals(data: bytes, words: str) -> None:
    assert words in reason(data)


def test_unknown_and_repeated_custom_fields_are_kept_once() -> None:
    fields = tlv(0xE0, b"first") + tlv(0xE0, b"second") + tlv(SSL, bytes(5) + tlv(0x21, b"TLSv1.3"))
    verdict = sniff_header(v2(0x21, 0x11, PAIR4 + fields))
    assert isinstance(verdict, Found)
    assert verdict.value.tlvs == {0xE0: b"first", SSL: bytes(5) + tlv(0x21, b"TLSv1.3")}


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (b"", 1),
        (b"P", 14),
        (b"PROXY UNKNOWN", 2),
        (b"PROXY UNKNOWN\r", 1),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2", 2),
        (b"\r", 15),
        (SIGNATURE, 4),
        (v2(0x21, 0x11, b"", length=12), 12),
        (v2(0x21, 0x11, PAIR4, length=20), 8),
    ],
)
def test_need_more(data: bytes, missing: int) -> None:
    assert sniff_header(data) == NeedMore(missing)
