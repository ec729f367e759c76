"""The PROXY protocol, versions 1 and 2: who the client is, told by the balancer before its bytes.

HAProxy's specification, doc/proxy-protocol.txt, section 2.1 (text) and 2.2 (binary). A receiver
must have been told to expect a header; nothing here guesses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from struct import Struct
from types import MappingProxyType
from typing import Final, NamedTuple

from podway_proxy.crc32c import crc32c
from podway_proxy.values import Address
from podway_proxy.verdict import Found, NeedMore, Reject, Verdict

ALPN: Final = 0x01
AUTHORITY: Final = 0x02
CRC32C: Final = 0x03
NOOP: Final = 0x04
UNIQUE_ID: Final = 0x05
SSL: Final = 0x20
NETNS: Final = 0x30
"""Types of the type-length-value fields, section 2.2.1 to 2.2.8."""

HEADER_BYTES: Final = 4_096
"""The default cap of a version 2 header (the specification asks for at least 536, and a client
certificate inside an SSL field takes some 2,000)."""

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"


class Header(NamedTuple):
    """What a PROXY header says."""

    client: Address | None
    """None when the sender speaks for itself (LOCAL) or can't tell (UNKNOWN, UNSPEC, UNIX)."""
    local: Address | None
    """The address that the client connected to; None together with `client`."""
    tlvs: Mapping[int, bytes] = MappingProxyType({})
    """By type, the first of each; without NOOP."""


# ---- sending ----------------------------------------------------------------------------------

_V4: Final = Struct(">12sBBH4s4sHH").pack
_V6: Final = Struct(">12sBBH16s16sHH").pack
_START: Final = Struct(">12sBBH")
_TLV: Final = Struct(">BH")
_INET: Final = int(AF_INET)  # plain integers: an enum costs each call a conversion
_INET6: Final = int(AF_INET6)
_PROXY: Final = 0x21  # version 2, command PROXY
_LOCAL: Final = 0x20
_TCP4: Final = 0x11
_TCP6: Final = 0x21
_CRC_BYTES: Final = 7


def encode_v2(
    client: Address, local: Address, tlvs: Iterable[tuple[int, bytes]] = (), crc: bool = False
) -> bytes:
    """Build a version 2 header for a TCP connection from `client` to `local`.

    Addresses of two families are both written as IPv6. `crc` appends a CRC32C over the header.
    ValueError: the fields together are longer than the header can say (65,535 bytes).
    """
    extra = b"".join([_TLV.pack(kind, len(value)) + value for kind, value in tlvs]) if tlvs else b""
    more = len(extra) + _CRC_BYTES * crc
    if more > 65_535 - 36:
        raise ValueError(f"PROXY fields of {more} bytes do not fit a header: send fewer")
    (source, sport), (target, tport) = client, local
    if ":" in source or ":" in target:
        pair = (_packed6(source), _packed6(target))
        header = _V6(SIGNATURE, _PROXY, _TCP6, 36 + more, *pair, sport, tport)
    else:
        pair = (inet_pton(_INET, source), inet_pton(_INET, target))
        header = _V4(SIGNATURE, _PROXY, _TCP4, 12 + more, *pair, sport, tport)
    return _summed(header + extra) if crc else header + extra


def encode_v2_local() -> bytes:
    """Build the header with which a balancer speaks for itself: health checks."""
    return _START.pack(SIGNATURE, _LOCAL, 0, 0)


def encode_v1(client: Address, local: Address) -> bytes:
    """Build a version 1 header; addresses of two families are both written as IPv6."""
    (source, sport), (target, tport) = client, local
    family = "TCP4"
    if ":" in source or ":" in target:
        family = "TCP6"
        source, target = (inet_ntop(_INET6, _packed6(host)) for host in (source, target))
    return f"PROXY {family} {source} {target} {sport} {tport}\r\n".encode("ascii")


def _packed6(host: str) -> bytes:
    """Pack an address for a header of IPv6 addresses: IPv4 as mapped (RFC 4291 2.5.5.2)."""
    return inet_pton(_INET6, host if ":" in host else "::ffff:" + host)


def _summed(header: bytes) -> bytes:
    """Append the checksum field, computed while its value is zero (section 2.2.3)."""
    start = header + _TLV.pack(CRC32C, 4)
    return start + crc32c(start + bytes(4)).to_bytes(4, "big")


# ---- receiving --------------------------------------------------------------------------------

_V1_LONGEST: Final = 107
_V1_SHORTEST: Final = len(b"PROXY UNKNOWN\r\n")
_V2_START: Final = 16

_NO_HEADER = Reject("no PROXY header, which this port requires")
_BAD_V1 = Reject("a malformed PROXY version 1 line")
_LONG_V1 = Reject("a PROXY version 1 line of more than 107 bytes")
_BAD_VERSION = Reject("a PROXY header of an unknown version or command")
_BAD_FAMILY = Reject("a PROXY header for another transport than a TCP or UNIX stream")
_TOO_LONG = Reject("a PROXY version 2 header that is longer than the limit")
_TOO_SHORT = Reject("a PROXY version 2 header too short for its addresses")
_BAD_TLV = Reject("a PROXY version 2 header with a malformed or repeated field")
_BAD_CRC = Reject("a PROXY version 2 header whose checksum is wrong")


def sniff_header(data: bytes, limit: int = HEADER_BYTES) -> Verdict[Header]:
    """Read a header of either version at the start of `data`; `Found.consumed` is its length.

    `limit` caps a version 2 header, in bytes; version 1 has its own cap of 107.
    """
    if not data:
        return NeedMore()
    if data.startswith(SIGNATURE):
        return _sniff_v2(data, limit)
    if data.startswith(b"PROXY "):
        return _sniff_v1(data)
    if SIGNATURE.startswith(data):
        return NeedMore(_V2_START - len(data))
    return NeedMore(_V1_SHORTEST - len(data)) if b"PROXY ".startswith(data) else _NO_HEADER


_V1_KINDS: Final = (b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN")
_V1_TEXT = re.compile(rb"[ -~]*\r?").fullmatch
_V1_PORT: Final = "(0|[1-9][0-9]{0,4})"
_V1_PAIR: Final = f"([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) {_V1_PORT} {_V1_PORT}"
_V1_LINE = re.compile(f"PROXY (?:UNKNOWN(?: [ -~]*)?|TCP([46]) {_V1_PAIR})\r\n").fullmatch


def _sniff_v1(data: bytes) -> Verdict[Header]:
    """Read the text form (section 2.1): one line, single spaces, canonical numbers."""
    end = data.find(b"\n", 0, _V1_LONGEST) + 1
    if not end:
        return _begun_v1(data[:_V1_LONGEST])
    line = _V1_LINE(data[:end].decode("latin-1"))
    if line is None:
        return _BAD_V1
    version, source, target, sport, tport = line.groups()
    if version is None:
        return Found(Header(None, None), end)
    family = _INET if version == "4" else _INET6
    client, local = _v1_address(family, source, sport), _v1_address(family, target, tport)
    if client is None or local is None:
        return _BAD_V1
    return Found(Header(client, local), end)


def _begun_v1(data: bytes) -> NeedMore | Reject:
    """Judge a line whose end has not come."""
    if not _V1_TEXT(data) or not any(kind.startswith(data[: len(kind)]) for kind in _V1_KINDS):
        return _BAD_V1
    if len(data) == _V1_LONGEST:
        return _LONG_V1
    return NeedMore(max(1 if data.endswith(b"\r") else 2, _V1_SHORTEST - len(data)))


def _v1_address(family: int, host: str, port: str) -> Address | None:
    """Read one address in its canonical spelling, or None when it is none."""
    try:
        canonical = inet_ntop(family, inet_pton(family, host))
    except OSError:
        return None
    return (canonical, int(port)) if int(port) <= 65_535 else None


_V4_PAIR: Final = Struct(">4s4sHH")
_V6_PAIR: Final = Struct(">16s16sHH")
_UNSPEC: Final = 0x00
_UNIX: Final = 0x31
_ADDRESS_BYTES: Final = {_UNSPEC: 0, _TCP4: 12, _TCP6: 36, _UNIX: 216}


def _sniff_v2(data: bytes, limit: int) -> Verdict[Header]:
    """Read the binary form (section 2.2)."""
    if len(data) > 12 and data[12] not in (_PROXY, _LOCAL):
        return _BAD_VERSION
    if len(data) < _V2_START:
        return NeedMore(_V2_START - len(data))
    _, command, family, length = _START.unpack_from(data)
    end = _V2_START + length
    if end > limit:
        return _TOO_LONG
    if command == _PROXY:
        size = _ADDRESS_BYTES.get(family)
        if size is None:
            return _BAD_FAMILY
        if length < size:
            return _TOO_SHORT
    if len(data) < end:
        return NeedMore(end - len(data))
    if command == _LOCAL:  # "discard the protocol block including the family"
        return Found(Header(None, None), end)
    return _read_v2(data[:end], family)


def _read_v2(header: bytes, family: int) -> Verdict[Header]:
    """Read a complete PROXY command: the addresses, then the fields behind them."""
    tlvs = _fields(header, _V2_START + _ADDRESS_BYTES[family])
    if isinstance(tlvs, Reject):
        return tlvs
    if family == _TCP4:
        pair, kind = _V4_PAIR, _INET
    elif family == _TCP6:
        pair, kind = _V6_PAIR, _INET6
    else:
        return Found(Header(None, None, tlvs), len(header))
    source, target, sport, tport = pair.unpack_from(header, _V2_START)
    client, local = (inet_ntop(kind, source), sport), (inet_ntop(kind, target), tport)
    return Found(Header(client, local, tlvs), len(header))


_LONGEST_ID: Final = 128  # section 2.2.5
_SSL_START: Final = 5  # one byte of flags and four of the verification result, section 2.2.6
_NO_FIELDS: Final[Mapping[int, bytes]] = MappingProxyType({})


def _fields(header: bytes, at: int) -> Mapping[int, bytes] | Reject:
    """Read the fields from `at` to the end of the header, and verify the checksum among them."""
    size = len(header)
    if at == size:
        return _NO_FIELDS
    found: dict[int, bytes] = {}
    while at + 3 <= size:
        kind = header[at]
        start = at + 3
        at = start + (header[at + 1] << 8) + header[at + 2]
        value = header[start:at]
        form = _FORMS.get(kind)
        if form is not None and (kind in found or not form(value)):
            return _BAD_TLV
        if kind == CRC32C and crc32c(header[:start] + bytes(4) + header[at:]) != _number(value):
            return _BAD_CRC
        if kind != NOOP and kind not in found:
            found[kind] = value
    return found if at == size else _BAD_TLV


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _is_any(_value: bytes) -> bool:
    return True


def _is_ssl(value: bytes) -> bool:
    """Tell whether the fields inside an SSL field end where it does."""
    at, size = _SSL_START, len(value)
    while at + 3 <= size:
        at += 3 + (value[at + 1] << 8) + value[at + 2]
    return at == size


_FORMS: Final[Mapping[int, Callable[[bytes], bool]]] = {
    ALPN: _is_any,
    AUTHORITY: _is_any,
    CRC32C: lambda value: len(value) == 4,
    UNIQUE_ID: lambda value: len(value) <= _LONGEST_ID,
    SSL: _is_ssl,
    NETNS: _is_any,
}
"""The fields that may be there once, and what their values must look like."""
