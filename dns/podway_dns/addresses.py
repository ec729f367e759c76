"""Names that spell their own address, as nip.io and sslip.io read them.

The address stands directly in front of the zone: `10-0-0-1.ip.lab.example.test`,
`shop.10.0.0.1.ip.lab.example.test`, `shop-10-0-0-1.ip…`, `0a000001.ip…`, and for IPv6 with `-`
for `:`: `2001-db8--1.ip…`, `--1.ip…`. Any labels may stand in front of it. Because an address
further to the left is not looked for, a name that does not exist has nothing below it either
(RFC 8020), and the tail of a dotted quad is an empty non-terminal.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

from podway_dns.names import Name, labels
from podway_dns.records import AAAA, A, RRset

TTL = 300
"""Seconds. The name is the address, it never changes; sslip.io gives 604800, nip.io 432000, and
the lab's flag can be taken away."""

_OCTET = rb"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IS_OCTET = re.compile(_OCTET)
_DASHED = re.compile(rb"(?:.*-)?" + rb"-".join([_OCTET] * 4), re.DOTALL)
_HEX = re.compile(rb"(?:.*-)?([0-9a-f]{8})", re.DOTALL)
_SIX = re.compile(rb"[0-9a-f-]{2,39}")


def address_rrset(name: Name, origin: Name) -> tuple[RRset, ...] | None:
    """Give the RRset that `name` spells below `origin`; () for an empty non-terminal, else None.

    None means that the name does not exist.
    """
    own = list(labels(name[: len(name) - len(origin)] + b"\0"))
    if not own:
        return None
    packed = _dashed(own[-1])
    if packed is not None:
        return (RRset(A if len(packed) == 4 else AAAA, TTL, (packed,)),)
    return _dotted(own)


def _dashed(label: bytes) -> bytes | None:
    found = _DASHED.fullmatch(label)
    if found:
        return bytes(int(octet) for octet in found.groups())
    six = _six(label)
    if six is not None:
        return six
    found = _HEX.fullmatch(label)
    return bytes.fromhex(found[1].decode()) if found else None


def _six(label: bytes) -> bytes | None:
    if b"-" not in label or not _SIX.fullmatch(label):
        return None
    try:
        return IPv6Address(label.replace(b"-", b":").decode()).packed
    except AddressValueError:
        return None


def _dotted(own: list[bytes]) -> tuple[RRset, ...] | None:
    """Read the last labels as a dotted quad, or as the right part of one."""
    octets: list[int] = []
    for label in reversed(own[-4:]):
        if not _IS_OCTET.fullmatch(label):
            break
        octets.append(int(label))
    if len(octets) == 4:
        return (RRset(A, TTL, (bytes(reversed(octets)),)),)
    return () if octets and len(octets) == len(own) else None
