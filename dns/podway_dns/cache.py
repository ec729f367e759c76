"""Answers of other servers, kept for their TTLs in bounded memory. Pure; time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from podway_dns import sections
from podway_dns.sections import Message

MOST_ANSWERS: Final = 10_000
MOST_BYTES: Final = 8 * 1024 * 1024
LONGEST: Final = 3600
"""Seconds: no longer whatever the TTL; a lab's resolver is not in for long-term storage."""
LONGEST_NEGATIVE: Final = 300
"""Seconds (RFC 2308 section 5 has 3 hours as the most)."""


class _Kept(NamedTuple):
    message: Message
    since: float
    until: float


class Cache:
    """Least recently used go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes, now: float) -> bytes | None:
        """Give an answer, its TTLs lowered by its age; None where there is none (any more)."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if now >= kept.until:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return sections.aged(kept.message, int(now - kept.since))

    def put(self, key: bytes, message: Message, now: float) -> None:
        """Keep an answer as long as its TTLs allow."""
        self._drop(key)
        negative = message.rcode != 0 or not any(one.section == 0 for one in message.records)
        seconds = sections.lifetime(message, LONGEST_NEGATIVE if negative else LONGEST)
        if seconds <= 0 or message.data[2] & 2:
            return
        self._kept[key] = _Kept(message, now, now + seconds)
        self._bytes += len(message.data)
        while len(self._kept) > MOST_ANSWERS or self._bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept.message.data)
