from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.proxy_protocol import (
    CRC32C,
    NOOP,
    SIGNATURE,
    Header,
    encode_v1,
    encode_v2,
    encode_v2_local,
    sniff_header,
)
from podway_proxy.values import Address
from podway_proxy.verdict import Found, NeedMore, Verdict

PORTS = st.integers(0, 65_535)
V4 = st.tuples(st.integers(0, 2**32 - 1).map(lambda each: str(IPv4Address(each))), PORTS)


def as_libc_writes(number: int) -> str:
    """The standard library writes mapped addresses in hexadecimal, the C library in dots."""
    address = IPv6Address(number)
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else str(address)


V6 = st.tuples(st.integers(2**48, 2**128 - 1).map(as_libc_writes), PORTS)
PAIRS = st.one_of(st.tuples(V4, V4), st.tuples(V6, V6))
CUSTOM = st.integers(0xE0, 0xEF)
TLVS = st.lists(st.tuples(CUSTOM, st.binary(max_size=60)), max_size=5, unique_by=lambda t: t[0])


def feed(wire: bytes, sizes: list[int]) -> Verdict[Header]:
    end, pieces = 0, iter([*sizes, *[1] * len(wire)])
    verdict: Verdict[Header] = sniff_header(b"")
    while isinstance(verdict, NeedMore):
        wanted = end + verdict.at_least
        assert end < wanted <= len(wire)
        end = min(len(wire), end + next(pieces))
        verdict = sniff_header(wire[:end])
        assert end >= wanted or isinstance(verdict, NeedMore)
    return verdict


@given(PAIRS, TLVS, st.booleans(), st.lists(st.integers(1, 40), max_size=20))
@settings(max_examples=200, deadline=None)
def test_v2_is_read_as_written_over_any_split(
    pair: tuple[Address, Address], tlvs: list[tuple[int, bytes]], crc: bool, sizes: list[int]
) -> None:
    wire = encode_v2(*pair, tlvs, crc)
    verdict = feed(wire, sizes)
    assert isinstance(verdict, Found)
    assert verdict.consumed == len(wire)
    assert (verdict.value.client, verdict.value.local) == pair
    assert {k: v for k, v in verdict.value.tlvs.items() if k != CRC32C} == dict(tlvs)
    assert (CRC32C in verdict.value.tlvs) == crc


@given(PAIRS, st.lists(st.integers(1, 40), max_size=20))
@settings(max_examples=200, deadline=None)
def test_v1_is_read_as_written_over_any_split(
    pair: tuple[Address, Address], sizes: list[int]
) -> None:
    wire = encode_v1(*pair)
    assert len(wire) <= 107
    assert feed(wire, sizes) == Found(Header(*pair), len(wire))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_garbage_never_raises(data: bytes) -> None:
    for start in (b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11\x00\x20"):
        sniff_header(start + data)


@given(
    st.tuples(V4, V4),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 3),
    st.lists(st.integers(1, 30), max_size=20),
)
@settings(max_examples=400, deadline=None)
def test_a_verdict_does_not_depend_on_the_pieces(
    pair: tuple[Address, Address], changes: list[tuple[int, int]], kind: int, sizes: list[int]
) -> None:
    wires = (
        encode_v1(*pair),
        encode_v2(*pair, [(NOOP, b"xy"), (1, b"h2")]),
        encode_v2(*pair, crc=True),
        encode_v2_local(),
    )
    changed = bytearray(wires[kind])
    for at, value in changes:
        changed[at % len(changed)] = value
    wire = bytes(changed)
    whole, end = sniff_header(wire), 0
    for size in sizes:
        end += size
        verdict = sniff_header(wire[:end])
        if not isinstance(verdict, NeedMore):
            assert verdict == whole
            return


@given(st.tuples(V4, V4), st.integers(12, 50), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_the_checksum_finds_any_single_change(
    pair: tuple[Address, Address], at: int, flip: int
) -> None:
    wire = bytearray(encode_v2(*pair, [(NOOP, b"0123456789012")], crc=True))
    wire[at] ^= flip
    verdict = sniff_header(bytes(wire))
    if isinstance(verdict, Found):  # the change made the field something else than a checksum
        assert verdict.value.client is None or CRC32C not in verdict.value.tlvs
