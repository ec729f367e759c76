"""A controller's HTTPS port: TLS by server name, handed through unread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from podway_proxy.plane.front import TcpFront
from podway_proxy.sniff import tls
from podway_proxy.sniff.postgres import SSL_REQUEST, sniff_preamble
from podway_proxy.values import Arrival, Decision, Forward, Refuse
from podway_router.decide import Match
from podway_router.entry import limits_of

if TYPE_CHECKING:
    import socket

    from podway_proxy.plane.tunnel import Closed
    from podway_proxy.values import Address
    from podway_proxy.verdict import Reject
    from podway_router.decide import Miss, Tables
    from podway_router.entry import ShardEntry
    from podway_router.side import Setting
    from podway_router.ways import Way

UNRECOGNIZED = tls.alert(tls.UNRECOGNIZED_NAME)
INTERNAL = tls.alert(tls.INTERNAL_ERROR)
POSTGRES_YES = b"S"
"""What a PostgreSQL server answers to SSLRequest when TLS may begin."""


class TlsSide:
    """Decides for each connection by its ClientHello."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._connect_timeout = 0.0
        self.front: TcpFront[tls.Hello] = TcpFront(
            setting.plane,
            decide=self._decide,
            sniff=tls.sniff_hello,
            sniff_answer=_not_tls,
            preamble=sniff_preamble,
            takes_proxy=setting.takes_proxy,
            log=setting.log,
            refused=_unreachable,
            on_closed=self._closed,
        )

        self.adapt(setting.shard)

    def accept(self, sock: socket.socket, peer: Address) -> None:
        """Take over an accepted connection."""
        self._setting.account.count("tls_connections_total")
        self._setting.account.count("tls_connections")
        self.front.accept(sock, peer)

    def drain(self) -> None:
        """Do nothing: a connection that is handed through goes on until it ends."""

    def adapt(self, shard: ShardEntry) -> None:
        """Go by these settings of the controller from now on."""
        limits = limits_of(shard)
        self.front.limits = limits
        self._connect_timeout = limits.connect_timeout

    def _decide(self, arrival: Arrival, hello: tls.Hello | None, preamble: bool) -> Decision:
        current = self._setting.current()
        name = None if hello is None else hello.sni
        tables = current.tables[self._setting.controller]
        found = tables.tls(name)
        if not isinstance(found, Match):
            return self._miss(found, name or "", tables)
        way = current.ways[found.key]
        if way.entry.step:
            return Refuse(way.entry.step, f"{way.label}: {way.entry.why}", INTERNAL)
        return self._forward(way, arrival, preamble)

    def _miss(self, miss: Miss, name: str, tables: Tables) -> Refuse:
        detail = miss.detail
        if not detail and self._setting.account.fresh(miss.step, name):
            detail = tables.nearest(name)
        reason = "; ".join(filter(None, (miss.public, detail)))
        return Refuse(miss.step, reason, UNRECOGNIZED)

    def _forward(self, way: Way, arrival: Arrival, preamble: bool) -> Forward:
        load = self._setting.load
        return Forward(
            way.balancer.candidates(arrival.client[0]),
            label=way.label,
            greeting=SSL_REQUEST if preamble else b"",
            greeting_answer=POSTGRES_YES if preamble else b"",
            idle_timeout=way.entry.tunnel_timeout,
            connect_timeout=self._connect_timeout,
            on_open=load.began,
            on_close=load.ended,
            on_failure=partial(self._setting.account.connect_failed, way.label),
        )

    def _closed(self, closed: Closed) -> None:
        account = self._setting.account
        account.count("tls_connections", -1)
        account.count("passthrough_bytes_total:direction=to_server", closed.to_server)
        account.count("passthrough_bytes_total:direction=to_client", closed.to_client)
        if closed.refused is not None:
            account.refused(closed.refused.step)
        if self._setting.options.access_log:
            self._setting.log.info(
                "connection",
                client=closed.arrival.client[0],
                by=closed.label,
                endpoint=str(closed.endpoint or ""),
                how=closed.how,
                step=closed.refused.step if closed.refused else "",
                received=closed.to_server,
                sent=closed.to_client,
            )


def _not_tls(reject: Reject) -> Refuse:
    return Refuse("hello", reject.reason, tls.answer(reject))


def _unreachable(refuse: Refuse) -> Refuse:
    return Refuse(refuse.step, refuse.reason, INTERNAL)
