"""A controller's HTTPS port: TLS by server name, handed through unread or ended here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from podway_proxy.plane.front import TcpFront
from podway_proxy.sniff import tls
from podway_proxy.sniff.postgres import SSL_REQUEST, sniff_preamble
from podway_proxy.tls.contexts import Terms
from podway_proxy.tls.entrance import Entrance
from podway_proxy.tls.handshake import words
from podway_proxy.tls.profiles import Profile
from podway_proxy.values import Arrival, Decision, Forward, Handover, Refuse
from podway_router.decide import Match
from podway_router.entry import CERTIFICATE, TlsEntry, key_of_label, limits_of, tls_of
from podway_router.guard import STEP as RATE_LIMIT
from podway_router.https_side import HttpsSide

if TYPE_CHECKING:
    import socket

    from podway_proxy.plane.tunnel import Closed
    from podway_proxy.tls.stream import TlsStream
    from podway_proxy.values import Address
    from podway_proxy.verdict import Reject
    from podway_router.entry import ShardEntry
    from podway_router.side import Setting
    from podway_router.ways import Map, Way

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
        self._requests = HttpsSide(setting)
        self._entrance = Entrance(setting.plane, self._secured, self._failed)
        self._tls = TlsEntry()
        self._terms = Terms()
        self._handshake_timeout = 0.0
        self.adapt(setting.shard)

    @property
    def active(self) -> int:
        """Connections that are not over."""
        return self.front.active + self._entrance.active + self._requests.active

    def accept(self, sock: socket.socket, peer: Address) -> None:
        """Take over an accepted connection."""
        self._setting.account.count("tls_connections_total")
        self._setting.account.count("tls_connections")
        self.front.accept(sock, peer)

    def drain(self) -> None:
        """End HTTP connections with their next answer; what is handed through goes on."""
        self._requests.drain()

    def renew(self) -> None:
        """Look everything up anew: there is another map."""
        self._requests.renew()

    def adapt(self, shard: ShardEntry) -> None:
        """Go by these settings of the controller from now on."""
        limits = limits_of(shard)
        self.front.limits = limits
        self._connect_timeout = limits.connect_timeout
        self._handshake_timeout = limits.handshake_timeout
        self._requests.adapt(shard)
        self._tls = tls = tls_of(shard)
        self._terms = Terms(Profile(tls.lowest, tls.ciphers), tls.clients, tls.client_ca)

    def _decide(self, arrival: Arrival, hello: tls.Hello | None, preamble: bool) -> Decision:
        current = self._setting.current()
        name = None if hello is None else hello.sni
        tables = current.tables[self._setting.controller]
        found = tables.tls(name)
        if not isinstance(found, Match):
            return self._end(current, found.certificate or self._tls.certificate, name, preamble)
        way = current.ways[found.key]
        if not way.admits(arrival.client[0]):
            reason = f"{way.label}: its allowlist does not name the client's address"
            return Refuse("allowlist", reason)
        guard, client = self._setting.guard, arrival.client[0]
        beyond = guard.refusal(found.key, way, client, http=False)
        if beyond:
            return Refuse(RATE_LIMIT, beyond)
        if way.entry.step:
            return Refuse(way.entry.step, f"{way.label}: {way.entry.why}", INTERNAL)
        forward = self._forward(way, arrival, preamble)
        return guard.through(forward, found.key, way, client) if way.limited else forward

    def _end(self, current: Map, digest: str, name: str | None, preamble: bool) -> Decision:
        """End TLS here, with the certificate of that digest."""
        if preamble:
            reason = f"PostgreSQL's TLS is handed through only, and {name} has no such Route"
            return Refuse("termination", reason, UNRECOGNIZED)
        entry = current.entries.get(CERTIFICATE + digest)
        if entry is None:
            return Refuse("certificate", "there is no default certificate", INTERNAL)
        try:
            context = self._setting.contexts.server(digest, lambda: entry["pem"], self._terms)
        except (OSError, ValueError) as error:
            reason = f"the certificate for {name} can't be used: {words(error)}"
            return Refuse("certificate", reason, INTERNAL)
        return Handover(partial(self._entrance.take, context, name, self._handshake_timeout))

    def _secured(self, stream: TlsStream, arrival: Arrival) -> None:
        resumed = "true" if stream.session_reused else "false"
        self._setting.account.count(f"tls_handshakes_total:resumed={resumed}")
        self._setting.account.count("tls_connections", -1)  # it counts as HTTP's from now on
        self._requests.front.admit(stream, arrival)

    def _failed(self, arrival: Arrival, reason: str) -> None:
        account = self._setting.account
        account.count("tls_connections", -1)
        account.unserved("handshake", reason, reason, arrival.client[0])
        self._requests.access.unshaken(arrival)

    def _forward(self, way: Way, arrival: Arrival, preamble: bool) -> Forward:
        load, choice = self._setting.load, self._setting.choice
        return Forward(
            choice.candidates(way, arrival.client[0]),
            label=way.label,
            greeting=SSL_REQUEST if preamble else b"",
            greeting_answer=POSTGRES_YES if preamble else b"",
            idle_timeout=way.entry.tunnel_timeout,
            connect_timeout=self._connect_timeout,
            on_open=self._requests.access.passing(arrival, load.began),
            on_close=load.ended,
            on_failure=partial(choice.failed, way.label),
        )

    def _closed(self, closed: Closed) -> None:
        account = self._setting.account
        account.count("tls_connections", -1)
        account.count("passthrough_bytes_total:direction=to_server", closed.to_server)
        account.count("passthrough_bytes_total:direction=to_client", closed.to_client)
        if closed.label:
            key = key_of_label(self._setting.controller, closed.label)
            self._setting.meter.passed(key, closed.to_server, closed.to_client)
        if closed.refused is not None:
            account.refused(closed.refused.step)
        self._requests.access.passed(closed)


def _not_tls(reject: Reject) -> Refuse:
    return Refuse("hello", reject.reason, tls.answer(reject))


def _unreachable(refuse: Refuse) -> Refuse:
    return Refuse(refuse.step, refuse.reason, INTERNAL)
