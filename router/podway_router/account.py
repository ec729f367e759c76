"""What a worker counts and logs about requests and connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podway_proxy.http import front
from podway_proxy.values import Endpoint
from podway_router.metering import meter

if TYPE_CHECKING:
    from podway_proxy.counters import Counters
    from podway_proxy.restraint import Restraint
    from podway_router.decide import Miss, Tables

STEPS = (
    "no-route",
    "tls-only",
    "http-only",
    "termination",
    "passthrough",
    "misdirected",
    "certificate",
    "handshake",
    "client-certificate",
    "allowlist",
    "rate-limit",
    "no-service",
    "no-endpoint",
    "connect",
    "queue",
    "hello",
    "proxy",
    "untrusted-proxy",
)
"""The steps at which a request or connection is refused (see the README)."""
COUNTERS = (
    *front.COUNTERS,
    "redirects_total",
    "tls_connections_total",
    "tls_connections",
    "passthrough_bytes_total:direction=to_server",
    "passthrough_bytes_total:direction=to_client",
    "tls_handshakes_total:resumed=false",
    "tls_handshakes_total:resumed=true",
    "connect_failures_total",
    "access_log_dropped_total",
    "queued",
    *meter.COUNTERS,
    *(f"refused_total:step={step}" for step in STEPS),
)
_REMEMBERED = 1000
"""Most refused hosts that are remembered and logged between two changes of the Routes."""


class Account:
    """The counters by name, and the log lines that say why."""

    __slots__ = ("_log", "_misses", "_row", "_slots")

    def __init__(self, log: Restraint, counters: Counters) -> None:
        self._log = log
        self._row = counters.row
        self._slots = {name: counters.slot(name) for name in COUNTERS}
        self._misses: set[tuple[str, str]] = set()

    def count(self, name: str, more: int = 1) -> None:
        """Add to a counter of COUNTERS; another name is not counted."""
        slot = self._slots.get(name)
        if slot is not None:
            self._row[slot] += more

    def refused(self, step: str) -> None:
        """Count a refusal."""
        self.count(f"refused_total:step={step}")

    def missed(self, miss: Miss, host: str, client: str, tables: Tables) -> None:
        """Count a request that no Route serves, and say it to the operator once per host."""
        self.refused(miss.step)
        if self.fresh(miss.step, host):
            detail = miss.detail or tables.nearest(host)
            self._log.info(
                "refused", step=miss.step, reason=miss.public, detail=detail, client=client
            )

    def unserved(self, step: str, label: str, why: str, client: str) -> None:
        """Count a request whose Route has no endpoint, and say why once per Route."""
        self.refused(step)
        if self.fresh(step, label):
            self._log.info("refused", step=step, by=label, reason=why, client=client)

    def fresh(self, step: str, host: str) -> bool:
        """Tell whether this refusal is the first for its host since the Routes changed.

        Also false when a thousand others were: strangers' guesses shall not fill the log.
        """
        known = (step, host)
        if known in self._misses or len(self._misses) >= _REMEMBERED:
            return False
        self._misses.add(known)
        return True

    def forget_misses(self) -> None:
        """Log every refusal anew: the Routes have changed."""
        self._misses.clear()

    def connect_failed(self, label: str, endpoint: Endpoint, reason: str) -> None:
        """Note an endpoint that could not be connected to."""
        self.count("connect_failures_total")
        self._log.info("connect failed", by=label, endpoint=str(endpoint), reason=reason)
