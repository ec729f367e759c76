"""Response-rate limiting: not to be anybody's amplifier. Pure; time is an argument.

Answers alike to clients of one network are counted per second; alike are those packed from the
same records, so all names that one wildcard answers count together, as do all NXDOMAINs of a
zone. Of those beyond the limit every n-th is sent truncated and empty (slip), so that a real
client comes again over TCP, which can't be forged; the others get nothing.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

PASS, SLIP, DROP = 0, 1, 2
MOST_KEYS: Final = 100_000
"""Counted in one second; beyond that, new networks pass: memory before strictness."""
_PREFIX_4, _PREFIX_6 = 3, 7
"""Bytes of a client's network: /24 and /56, as NSD has them."""


class Limiter:
    """Counts answers per (network, kind) in the current second. `rate` 0: no limit."""

    __slots__ = ("_counts", "_second", "rate", "slip")

    def __init__(self, rate: int, slip: int) -> None:
        self.rate = rate
        self.slip = slip
        self._second = 0
        self._counts: dict[tuple[bytes, Hashable], int] = {}

    def judge(self, client: bytes, kind: Hashable, now: int) -> int:
        """Count an answer; tell whether it is sent. `client` is its packed address."""
        if is_loopback(client):
            return PASS
        if now != self._second:
            self._second = now
            self._counts.clear()
        key = (network(client), kind)
        count = self._counts.get(key, 0) + 1
        if count > 1 or len(self._counts) < MOST_KEYS:
            self._counts[key] = count
        if count <= self.rate:
            return PASS
        return SLIP if self.slip and (count - self.rate) % self.slip == 0 else DROP


def is_loopback(client: bytes) -> bool:
    """Tell whether a packed address is of this host: its sources are not forged from outside."""
    return client[0] == 127 if len(client) == 4 else client == bytes(15) + b"\1"


def network(client: bytes) -> bytes:
    """Give the network that a client is counted with."""
    return client[:_PREFIX_4] if len(client) == 4 else client[:_PREFIX_6]


def truncated(reply: bytes) -> bytes:
    """Give the answer emptied, with TC set and the question kept: what a slip sends."""
    end = 12
    while reply[end]:
        end += 1 + reply[end]
    head = reply[:2] + bytes((reply[2] | 2, reply[3])) + b"\0\1\0\0\0\0\0\0"
    return head + reply[12 : end + 5]
