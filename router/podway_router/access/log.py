"""A controller's access log in one worker: what is told of requests and connections, written."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from podway_proxy.http.access import AccessRecord
from podway_proxy.http.cookies import sent
from podway_proxy.values import Arrival, Endpoint
from podway_router.access import dates, naming
from podway_router.access.captures import Captures
from podway_router.access.facts import Busy, Facts, Names
from podway_router.access.format import HTTP, TCP, Program, compiled
from podway_router.access.journal import connection, request
from podway_router.access.settings import AccessEntry, captures_of, read_access
from podway_router.access.tunnels import Opened, Tunnels
from podway_router.entry import heads_of, key_of_label
from podway_router.unique_id import ids_of

if TYPE_CHECKING:
    from podway_proxy.log import Log
    from podway_proxy.plane.tunnel import Closed
    from podway_router.access.destinations import Destination
    from podway_router.entry import ShardEntry
    from podway_router.side import Setting
    from podway_router.unique_id import UniqueIds
    from podway_router.ways import Way

DROPPED = "access_log_dropped_total"
"""The counter of lines that their destination did not take."""
_FRONTENDS = frozenset(("redirect", "bad-request", "head-timeout", "client-gone", "queue"))
"""Steps at which no backend was chosen."""


class AccessLog:
    """Writes what a front end tells it, as the controller's settings have it."""

    def __init__(self, setting: Setting, journal: Log | None) -> None:
        """`journal`: the daemon's own log, where that is to tell each request (--access-log)."""
        self._setting = setting
        self._journal = journal
        self._account = setting.account
        self._meter = setting.meter if setting.options.request_metrics else None
        self._tunnels = Tunnels(setting.plane)
        self._entry: AccessEntry | None = None
        self._http: Program = compiled(HTTP)
        self._tcp: Program = compiled(TCP)
        self._captures = Captures()
        self._destination: Destination | None = None
        self._number = 0
        self._ids: UniqueIds | None = None
        """None: requests have no ids."""
        self.busy: Callable[[], int] = int
        """Gives how many connections the front end has."""

    def adapt(self, shard: ShardEntry) -> None:
        """Go by these settings of the controller from now on."""
        heads = heads_of(shard)
        self._ids = ids_of(heads.unique_id_format) if heads.unique_id else None
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
        return self._tell_http if self._wanted else None

    @property
    def _wanted(self) -> bool:
        return not (self._journal is None and self._destination is None and self._meter is None)

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
        if self._ids is not None and record.request is not None and record.arrival is not None:
            facts.unique_id = self._ids.of(record.request, record.arrival).decode("latin-1")
        if self._meter is not None:
            self._meter.told(facts, "" if way is None else self._key(record.label))
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
        return self._setting.current().ways.get(self._key(label)) if label else None

    def _key(self, label: str) -> str:
        return key_of_label(self._setting.controller, label)

    # ---- connections ----------------------------------------------------------------------

    def passing(self, arrival: Arrival, opened: Opened) -> Opened:
        """Note that a connection is handed through; give what is told when it has arrived."""
        return self._tunnels.watching(arrival, opened) if self._wanted else opened

    def unshaken(self, arrival: Arrival) -> None:
        """Write that a TLS handshake failed, in the form of HAProxy's error log (section 8.2.5)."""
        if self._destination is not None:
            client, at = arrival.client, dates.local(time.time())
            what = f"{naming.SNI}/1: SSL handshake failure"
            self._destination.write(f"{client[0]}:{client[1]} [{at}] {what}")

    def passed(self, closed: Closed) -> None:
        """Write how a connection ended that was handed through, or was to be."""
        if not self._wanted:
            self._tunnels.forget(closed)
            return
        record = self._tunnels.ended(closed)
        way = self._way(closed.label)
        backend, server = self._served(closed.label, way, record.endpoint)
        names = Names(naming.PUBLIC_TLS, backend or naming.PUBLIC_TLS, server)
        if self._journal is not None:
            self._journal.info("connection", **connection(closed))
        facts = self._facts(record, names, way)
        if self._meter is not None:
            self._meter.passed_front(facts)
        if self._destination is not None:
            self._destination.write(self._tcp(facts))
        self._number += 1


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
