"""Server cookies against the test vectors of RFC 9018 appendix A."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from podway_dns import cookies

KEY = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
VECTORS = [
    # appendix, client cookie, client, time of the cookie, whole option
    ("A.1", "2464c4abcf10c957", "198.51.100.100", 1559731985,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480"),
    ("A.2", "2464c4abcf10c957", "198.51.100.100", 1559734385,
     "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"),
]  # fmt: skip


@pytest.mark.parametrize(("_", "start", "client", "now", "whole"), VECTORS)
def test_vectors(_: str, start: str, client: str, now: int, whole: str) -> None:
    packed = ip_address(client).packed
    made = cookies.answer_option(bytes.fromhex(start), packed, now, KEY)
    assert made.hex() == whole
    assert cookies.is_valid(made, packed, now + 3600, KEY)
    assert not cookies.is_valid(made, packed, now + 3601, KEY)
    assert not cookies.is_valid(made, packed, now - 301, KEY)
    assert not cookies.is_valid(made, b"\1\2\3\4", now, KEY)


def test_ipv6_vector() -> None:
    key = bytes.fromhex("445536bcd2513298075a5d379663c962")
    client = ip_address("2001:db8:220:1:59de:d0f4:8769:82b8").packed
    made = cookies.answer_option(bytes.fromhex("22681ab97d52c298"), client, 1559741961, key)
    assert made.hex() == "22681ab97d52c298010000005cf7c609a6bb79d16625507a"


def test_renewed_when_half_an_hour_old() -> None:
    client = b"\1\2\3\4"
    made = cookies.answer_option(b"c" * 8, client, 1000, KEY)
    assert cookies.answer_option(made, client, 1000 + 1799, KEY) == made
    assert cookies.answer_option(made, client, 1000 + 1800, KEY) != made


def test_siphash_vector() -> None:
    # Aumasson and Bernstein, "SipHash", appendix A.
    assert cookies.siphash24(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5
