"""Is an address in one of these networks: asked once per connection. Pure.

`ipaddress` stays with the loaders, which check what people write; a worker starts without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final

_CAP: Final = 4096
"""Answers kept, since clients and balancers come again."""
_MAPPED: Final = bytes(10) + b"\xff\xff"
"""How an IPv4 address begins as an IPv6 one (RFC 4291 section 2.5.5.2)."""


class Networks:
    """A set of networks, given as CIDRs in their usual form (`10.0.0.0/8`, `2001:db8::/32`)."""

    __slots__ = ("_known", "_networks")

    def __init__(self, cidrs: Iterable[str]) -> None:
        """Take CIDRs; a bare address is a network of one. OSError or ValueError: it is neither."""
        self._networks = tuple(_network(cidr) for cidr in cidrs)
        self._known: dict[str, bool] = {}

    def holds(self, host: str) -> bool:
        """Tell whether a numeric address is in one of them; IPv4 may come as IPv6."""
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= _CAP:
                self._known.clear()
            known = self._known[host] = self._look(_packed(host))
        return known

    def _look(self, packed: bytes) -> bool:
        bits = len(packed) * 8
        number = int.from_bytes(packed, "big")
        return any(
            size == bits and number >> shift == prefix for size, shift, prefix in self._networks
        )


def _network(cidr: str) -> tuple[int, int, int]:
    """Give (bits of the family, bits of the host part, the network's leading bits)."""
    host, _, length = cidr.partition("/")
    packed = inet_pton(AF_INET6 if ":" in host else AF_INET, host)
    bits = len(packed) * 8
    shift = bits - int(length or bits)
    if not 0 <= shift <= bits:
        raise ValueError(f"{cidr!r}: the prefix must be 0 to {bits} bits long")
    return bits, shift, int.from_bytes(packed, "big") >> shift


def _packed(host: str) -> bytes:
    if ":" not in host:
        return inet_pton(AF_INET, host)
    packed = inet_pton(AF_INET6, host)
    return packed[12:] if packed.startswith(_MAPPED) else packed
