"""The access log as front ends know it: the log itself is imported when somebody wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podway_proxy.http.access import AccessRecord
    from podway_proxy.log import Log
    from podway_proxy.plane.tunnel import Closed
    from podway_proxy.values import Arrival, Endpoint
    from podway_router.access.log import AccessLog
    from podway_router.entry import ShardEntry
    from podway_router.side import Setting


class Ear:
    """Hears what a front end tells, and passes it on while there is a log.

    `journal`: the daemon's own log, where that is to tell each request (--access-log). `busy` gives
    how many connections the front end has.
    """

    __slots__ = ("_busy", "_journal", "_log", "_setting")

    def __init__(self, setting: Setting, journal: Log | None, busy: Callable[[], int]) -> None:
        self._setting = setting
        self._journal = journal
        self._busy = busy
        self._log: AccessLog | None = None

    def adapt(self, shard: ShardEntry) -> None:
        """Go by these settings of the controller from now on."""
        always = self._journal is not None or self._setting.options.request_metrics
        if self._log is None and (always or shard.access is not None):
            from podway_router.access.log import AccessLog  # a twentieth of a worker's start

            self._log = AccessLog(self._setting, self._journal)
            self._log.busy = self._busy
        if self._log is not None:
            self._log.adapt(shard)

    @property
    def http(self) -> Callable[[AccessRecord], None] | None:
        """What is to be told of requests; None while nobody wants to know."""
        return None if self._log is None else self._log.http

    def passing(
        self, arrival: Arrival, opened: Callable[[Endpoint], None]
    ) -> Callable[[Endpoint], None]:
        """Note that a connection is handed through; give what is told when it has arrived."""
        return opened if self._log is None else self._log.passing(arrival, opened)

    def passed(self, closed: Closed) -> None:
        """Hear how a connection ended that was handed through, or was to be."""
        if self._log is not None:
            self._log.passed(closed)

    def unshaken(self, arrival: Arrival) -> None:
        """Hear of a TLS handshake that failed."""
        if self._log is not None:
            self._log.unshaken(arrival)
