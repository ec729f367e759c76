"""What podway-dns counts: queries by transport, type and path, answers by rcode, drops."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from podway_dns.fast import Kept
from podway_dns.records import RCODE_NAMES, TYPE_NAMES
from podway_proxy.counters import Counters

TRANSPORTS = ("udp", "tcp", "tls", "http")
DROPS = ("malformed", "rate", "unsent")
"""Why a query got no answer: no header, or itself an answer; response-rate limit (slips count
too); not taken by the kernel."""
REFUSALS = ("connections", "per-client", "gone")
"""Why a connection was closed at once: which cap, or the client did it."""

PATHS = ("fast", "slow")
BOUNDS = ("0.00001", "0.000025", "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025",
          "0.005", "0.01", "0.1")  # fmt: skip
"""Seconds: a single answer takes some 20 us, a batch of 64 some 300 us, one by dnslib 100 us."""
_NANOSECONDS = tuple(round(float(bound) * 1e9) for bound in BOUNDS)
_HISTOGRAM = tuple(f"transport={name},path={path}" for name in TRANSPORTS for path in PATHS)

COUNTERS: tuple[str, ...] = (
    *(f"queries_total:transport={name}" for name in TRANSPORTS),
    *(f"questions_total:type={name}" for name in (*TYPE_NAMES.values(), "other")),
    *(f"answers_total:rcode={name}" for name in (*RCODE_NAMES.values(), "other")),
    *(f"paths_total:path={name}" for name in PATHS),
    *(f"dropped_total:reason={name}" for name in DROPS),
    *(f"refused_total:reason={name}" for name in REFUSALS),
    "truncated_total",
    "forwarded_total",
    "busy_microseconds_total",
    "connections",
    *(f"query_seconds_bucket:{one},le={le}" for one in _HISTOGRAM for le in (*BOUNDS, "+Inf")),
    *(f"query_seconds_sum:{one}" for one in _HISTOGRAM),
)

_FEW = 8


class Meter:
    """Counts into one worker's row."""

    __slots__ = (
        "_buckets",
        "_busy",
        "_fast",
        "_rcodes",
        "_row",
        "_slot",
        "_slow",
        "_slow_timed",
        "_types",
        "_udp",
        "other_type",
    )

    def __init__(self, counters: Counters) -> None:
        self._slot = counters.slot
        self._row = counters.row
        self._types = {
            number.to_bytes(2, "big"): counters.slot(f"questions_total:type={name}")
            for number, name in TYPE_NAMES.items()
        }
        self.other_type = counters.slot("questions_total:type=other")
        other = counters.slot("answers_total:rcode=other")
        self._rcodes = [other] * 16
        for number, name in RCODE_NAMES.items():
            if number < 16:
                self._rcodes[number] = counters.slot(f"answers_total:rcode={name}")
        self._udp = counters.slot("queries_total:transport=udp")
        self._fast = counters.slot("paths_total:path=fast")
        self._slow = counters.slot("paths_total:path=slow")
        self._slow_timed = self._row[self._slow]
        self._busy = counters.slot("busy_microseconds_total")
        self._buckets = {
            (name, path): (
                [counters.slot(f"query_seconds_bucket:transport={name},path={path},le={le}")
                 for le in (*BOUNDS, "+Inf")],
                counters.slot(f"query_seconds_sum:transport={name},path={path}"),
            )
            for name in TRANSPORTS
            for path in PATHS
        }  # fmt: skip

    def answered(self, reply: bytes) -> None:
        """Count one answer by the type asked for, which it repeats, and by its rcode.

        Extended codes (BADVERS, BADCOOKIE) count by their low four bits, as the header has them.
        """
        row = self._row
        end = reply.find(b"\0", 12) + 1
        row[self._types.get(reply[end : end + 2], self.other_type)] += 1
        row[self._rcodes[reply[3] & 15]] += 1
        if reply[2] & 2:
            self.add("truncated_total")

    def batch(self, founds: Sequence[Kept | None]) -> None:
        """Count a batch of datagrams; those of the slow path (None) have counted themselves."""
        row, types, other = self._row, self._types, self.other_type
        quick = [found[3] for found in founds if found is not None]
        # Counting first pays for a batch that is mostly alike, not for a single datagram.
        pairs = Counter(quick).items() if len(quick) > _FEW else [(tally, 1) for tally in quick]
        for tally, times in pairs:
            row[types.get(tally[:2], other)] += times
            row[self._rcodes[tally[2]]] += times
        row[self._udp] += len(founds)
        row[self._fast] += len(quick)

    def took(self, transport: str, nanoseconds: int, queries: int) -> None:
        """Count queries answered (or dropped) together, by how long that took them all.

        Their paths are told from what has been counted as slow since the last call.
        """
        row = self._row
        slow = row[self._slow] - self._slow_timed
        self._slow_timed += slow
        bucket = bisect_left(_NANOSECONDS, nanoseconds)
        for path, count in (("fast", queries - slow), ("slow", slow)):
            if count:
                buckets, total = self._buckets[transport, path]
                row[buckets[bucket]] += count
                row[total] += nanoseconds * count
        if transport == "udp":
            row[self._busy] += nanoseconds // 1000

    def add(self, name: str, count: int = 1) -> None:
        """Add to a counter by its name."""
        self._row[self._slot(name)] += count
