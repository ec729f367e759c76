"""Requests on connections whose TLS ended here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podway_proxy.http.answer import Answer
from podway_proxy.tls.names import Patterns, covers
from podway_router.decide import Match, Tables
from podway_router.entry import CERTIFICATE, tls_of
from podway_router.http_side import HttpSide

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_proxy.http.target import Target
    from podway_proxy.values import Arrival
    from podway_router.entry import ShardEntry
    from podway_router.side import Setting
    from podway_router.ways import Map


class HttpsSide(HttpSide):
    """Decides for each request by its host and path, and by what TLS said before."""

    _proto = "https"

    def __init__(self, setting: Setting) -> None:
        self._patterns = Patterns(())
        self._default = ""
        super().__init__(setting._replace(takes_proxy=None))

    def adapt(self, shard: ShardEntry) -> None:
        """Go by these settings of the controller from now on."""
        super().adapt(shard)
        tls = tls_of(shard)
        self._patterns = Patterns(tls.patterns)
        self._default = tls.certificate

    def _route(self, request: Request, arrival: Arrival) -> Target | Answer:
        current = self._current()
        tables = current.tables[self._controller]
        tls = arrival.tls
        found = tables.https(request.host, request.path)
        if tls is None or not self._patterns.allow(tls.subject):
            return self._refuse(403, "client-certificate", "this certificate may not come", arrival)
        if not isinstance(found, Match):
            self._account.missed(found, request.host, arrival.client[0], tables)
            return Answer(self._unrouted, found.step, found.public)
        name = tls.server_name
        if (
            name is not None
            and name != request.host
            and self._strays(current, tables, found.key, request, name)
        ):
            reason = f"this connection is for {name}, and its certificate not for {request.host}"
            return self._refuse(421, "misdirected", reason, arrival)
        return self._serve(current, found.key, request, arrival)

    def _settled(self, host: str, arrival: Arrival) -> bool | None:
        current, tls = self._current(), arrival.tls
        if tls is None or not self._patterns.allow(tls.subject):
            return None
        if tls.server_name not in (None, host):
            return None  # who strays is looked at
        return self._open(current, current.tables[self._controller].settled_inside(host))

    def _strays(self, current: Map, tables: Tables, key: str, request: Request, name: str) -> bool:
        """Tell whether the host is another Route's than the server name's, on its certificate."""
        if tables.same_route(key, name, request.path):
            return False
        shown = tables.tls(name)
        digest = "" if isinstance(shown, Match) else shown.certificate
        certificate = current.entries.get(CERTIFICATE + (digest or self._default), {})
        return not covers(certificate.get("names", ()), request.host)

    def _refuse(self, status: int, step: str, reason: str, arrival: Arrival) -> Answer:
        self._account.unserved(step, reason, reason, arrival.client[0])
        return Answer(status, step, reason)
