"""A controller's access log in one worker: what is told of requests and connections, written."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from podway_proxy.http.access import ABORTED, AccessRecord, Watched
from podway_proxy.http.cookies import sent
from podway_proxy.values import Endpoint
from podway_router.access import naming
from podway_router.access.captures import Captures
from podway_router.access.facts import NONE, Busy, Facts, Names
from podway_router.access.format import HTTP, TCP, Program, compiled
from podway_router.access.journal import connection, request
from podway_router.access.settings import AccessEntry, captures_of, read_access
from podway_router.entry import ROUTE

if TYPE_CHECKING:
    from podway_proxy.log import Log
    from podway_proxy.plane.tunnel import Closed
    from podway_router.access.destinations import Destination
    from podway_router.entry import ShardEntry
    from podway_router.side import Setting
    from podway_router.ways import Way

DROPPED = "access_log_dropped_total"
"""The counter of lines that their destination did not take."""
_FRONTENDS = frozenset(("redirect", "bad-request", "head-timeout", "client-gone", "queue"))
"""Steps at which no backend was chosen."""
_ENDS = {"client-reset": "CD", "server-reset": "SD", "idle": "cD", "half-closed": "cD"}
_REFUSED = {"no-endpoint": "SC", "no-service": "SC", "connect": "SC"}


class AccessLog:
    """Writes what a front end tells it, as the controller's settings have it."""

    def __init__(self, setting: Setting, journal: Log | None) -> None:
        """`journal`: the daemon's own log, where that is to tell each request (--access-log)."""
        self._setting = setting
        self._journal = journal
        self._account = setting.account
        self._entry: AccessEntry | None = None
        self._http: Program = compiled(HTTP)
        self._tcp: Program = compiled(TCP)
        self._captures = Captures()
        self._destination: Destination | None = None
        self._number = 0
        self.busy: Callable[[], int] = int
        """Gives how many connections the front end has."""

    def adapt(self, shard: ShardEntry) -> None:
        """Go by these settings of the controller from now on."""
        entry = None if shard.access is None else read_access(shard.access)
        if entry == self._entry:
            return
        if self._destination is not None:
            self._destination.close()
        self._entry = entry
        self._destination = None if entry is None else self._open(entry)
        if entry is not None:
            self._captures = captures_of(entry)
            self._http = compiled(entry.format or HTTP)

    @property
    def http(self) -> Callable[[AccessRecord], None] | None:
        """What is to be told of requests; None while nobody wants to know."""
        return self._tell_http if self._journal or self._destination else None

    @property
    def tcp(self) -> Callable[[Closed], None] | None:
        """What is to be told of connections that were handed through."""
        return self._tell_tcp if self._journal or self._destination else None

    def _open(self, entry: AccessEntry) -> Destination:
        from podway_router.access.destinations import Output, Syslog

        def dropped() -> None:
            self._account.count(DROPPED)

        if not entry.address:
            return Output(entry.most, dropped)
        return Syslog((entry.address, entry.port), entry.facility, entry.most, dropped)

    # ---- requests -------------------------------------------------------------------------

    def _tell_http(self, record: AccessRecord) -> None:
        way = self._way(record.label)
        facts = self._facts(record, self._names(record, way), way)
        if way is not None and way.entry.cookie is not None:
            facts.persistence = _persistence(record, way)
        if self._journal is not None:
            self._journal.info("request", **request(facts))
        if self._destination is not None:
            self._destination.write(self._http(facts))
        self._number += 1

    def _facts(self, record: AccessRecord, names: Names, way: Way | None) -> Facts:
        active = self.busy()
        load = self._setting.load
        endpoint = record.endpoint
        here = load.active(endpoint) if endpoint is not None else 0
        backend = 0
        if way is not None:
            backend = sum(load.active_at(address, 0) for address in way.addresses)
        busy = Busy(active, active, backend, here)
        return Facts(record, names, busy, self._number, time.time(), self._captures)

    def _names(self, record: AccessRecord, way: Way | None) -> Names:
        arrival = record.arrival
        tls = arrival.tls if arrival is not None else None
        frontend = naming.PUBLIC
        if tls is not None:
            frontend = naming.SNI if tls.server_name else naming.NO_SNI
        backend, server = self._served(record.label, way, record.endpoint)
        if not backend:
            unrouted = record.request is not None and record.step not in _FRONTENDS
            backend = naming.NOWHERE if unrouted else frontend
        return Names(frontend, backend, server, tls is not None)

    def _served(self, label: str, way: Way | None, endpoint: Endpoint | None) -> tuple[str, str]:
        """Name backend and server; no backend where there is no Route."""
        entry = way.entry if way is not None else None
        server = naming.NO_SERVER if endpoint is None else naming.server(entry, endpoint)
        if not label:
            return "", server
        termination = entry.termination if entry is not None else ""
        return naming.backend(termination, label.partition(" ")[2]), server

    def _way(self, label: str) -> Way | None:
        if not label:
            return None
        key = f"{ROUTE}{self._setting.controller}/{label.partition(' ')[2]}"
        return self._setting.current().ways.get(key)

    # ---- connections ----------------------------------------------------------------------

    def _tell_tcp(self, closed: Closed) -> None:
        way = self._way(closed.label)
        record = self._record(closed)
        backend, server = self._served(closed.label, way, record.endpoint)
        names = Names(naming.PUBLIC_TLS, backend or naming.PUBLIC_TLS, server)
        if self._journal is not None:
            self._journal.info("connection", **connection(closed))
        if self._destination is not None:
            self._destination.write(self._tcp(self._facts(record, names, way)))
        self._number += 1

    def _record(self, closed: Closed) -> AccessRecord:
        """Tell of a connection in a request's words."""
        now = self._setting.plane.now
        began = closed.began if closed.began >= 0 else now
        reached = closed.connected >= 0
        state = _ENDS.get(closed.how, NONE)
        if closed.refused is not None:
            state = _REFUSED.get(closed.refused.step, "PR")
        elif not reached and closed.how != "done":
            state = "CC"
        watched = Watched(
            began,
            began,
            began,
            now,
            0.0 if closed.label else -1.0,
            closed.connected - began if reached else -1.0,
            received=closed.to_server,
            sent=closed.to_client,
            state=state,
        )
        step = closed.refused.step if closed.refused is not None else ""
        return AccessRecord(
            closed.arrival.client,
            None,
            0,
            step or ("" if state == NONE else ABORTED),
            closed.refused.reason if closed.refused is not None else "",
            closed.label,
            closed.endpoint if reached else None,
            now - began,
            1 if reached else 0,
            closed.arrival,
            watched,
        )


def _persistence(record: AccessRecord, way: Way) -> str:
    """Say what became of the client's cookie, in HAProxy's two letters (section 8.5)."""
    from podway_router.sticky import value_of

    head = record.request.head if record.request is not None else b""
    values = list(sent(head, (way.entry.cookie or "").encode() + b"="))
    endpoint = record.endpoint
    if not values:
        shown = "N"
    else:
        own = endpoint is not None and value_of(way.namespace, endpoint) in values
        shown = "V" if own else "I"
    if record.step:
        return f"{shown}-"
    return f"{shown}{'N' if shown == 'V' else 'I'}"
