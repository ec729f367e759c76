"""What is done with an answer besides sending it: forwarding, rate limit, query log.

None of it is active unless it is asked for, and then it comes after the answer: the hot path
knows nothing of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from podway_dns import cookies, limiter
from podway_dns.fast import Kept
from podway_dns.limiter import Limiter
from podway_dns.meter import Meter
from podway_dns.names import to_text
from podway_dns.packing import EDNS_SIZE, PLAIN_SIZE
from podway_dns.query import Query, read
from podway_dns.records import IN, RCODE_NAMES, REFUSED, type_name
from podway_dns.zone import Snapshot
from podway_proxy.log import Log

if TYPE_CHECKING:
    from podway_dns.forward import Forwarder
    from podway_dns.sections import Message

_META = range(249, 255)
"""TKEY, TSIG, IXFR, AXFR, MAILB, MAILA: nothing that is resolved for others."""
_STREAM_ROOM = 65_535


class Client(NamedTuple):
    """Who asks, and how."""

    transport: str
    address: bytes
    """The IP address, packed."""
    text: str = ""
    """`192.0.2.1:4711`, for the log."""


class Policy:
    """Applied to each answer while `active`."""

    def __init__(
        self, limit: Limiter, forwarder: Forwarder | None, log: Log | None, meter: Meter,
        secret: bytes,
    ) -> None:  # fmt: skip
        self._limiter = limit
        self._forwarder = forwarder
        self._log = log
        self._meter = meter
        self._secret = secret
        self.active = bool(limit.rate or forwarder or log)
        self.quick = not (forwarder or log)
        """Only the rate limit is on, which lets this host's own clients pass."""

    def treat(
        self,
        snapshot: Snapshot | None,
        message: bytes,
        reply: bytes,
        client: Client,
        found: Kept | None,
        later: Callable[[bytes], None],
    ) -> bytes:
        """Give the reply as it is to be sent; empty: none, or it comes by `later`."""
        forwarder = self._forwarder
        if forwarder is not None and forwarder.serves(client.address):
            query = self._foreign(snapshot, message, reply)
            if query is not None and client.transport != "http":  # HTTP answers in order
                self._meter.add("forwarded_total")
                kept = forwarder.ask(query, partial(self._resolved, query, client, later))
                return self._fitted(query, client, kept) if kept is not None else b""
            reply = reply[:3] + bytes((reply[3] | 0x80,)) + reply[4:]
        if self._log is not None:
            log_query(self._log, client, message, reply)
        if client.transport == "udp" and self._limiter.rate:
            return self._limited(message, reply, client, found)
        return reply

    def _foreign(self, snapshot: Snapshot | None, message: bytes, reply: bytes) -> Query | None:
        """Give the question if it was refused for not being ours, and may be resolved."""
        if reply[3] & 15 != REFUSED or snapshot is None:
            return None
        query = read(message)
        if not isinstance(query, Query) or not query.rd or query.rclass != IN:
            return None
        ours = snapshot.zone_of(query.name, query.rtype) is not None
        return None if ours or query.rtype in _META else query

    def _resolved(
        self, query: Query, client: Client, later: Callable[[bytes], None], message: Message
    ) -> None:
        later(self._fitted(query, client, message))

    def _fitted(self, query: Query, client: Client, message: Message) -> bytes:
        from podway_dns.resolved import fitted  # only where there is a forwarder

        reply = fitted(message, query, _room(query, client))
        if self._log is not None:
            log_query(self._log, client, query.message, reply)
        return reply

    def _limited(self, message: bytes, reply: bytes, client: Client, found: Kept | None) -> bytes:
        kind: Hashable = id(found[1]) if found is not None else reply[3] & 15
        verdict = self._limiter.judge(client.address, kind, int(time.time()))
        if verdict == limiter.PASS or self._has_cookie(message, client):
            return reply
        self._meter.add("dropped_total:reason=rate")
        return limiter.truncated(reply) if verdict == limiter.SLIP else b""

    def _has_cookie(self, message: bytes, client: Client) -> bool:
        """Tell whether the client has proven its address with a cookie of ours."""
        query = read(message)
        cookie = query.edns.cookie if isinstance(query, Query) and query.edns else None
        now = int(time.time())
        return cookie is not None and cookies.is_valid(cookie, client.address, now, self._secret)


def _room(query: Query, client: Client) -> int:
    if client.transport != "udp":
        return _STREAM_ROOM
    size = query.edns.size if query.edns else PLAIN_SIZE
    return min(max(size, PLAIN_SIZE), EDNS_SIZE)


def log_query(log: Log, client: Client, message: bytes, reply: bytes) -> None:
    """Write one line of the query log."""
    query = read(message)
    asked = isinstance(query, Query) and query.question
    log.info(
        "query",
        client=client.text,
        transport=client.transport,
        name=to_text(query.name) if isinstance(query, Query) and asked else "",
        type=type_name(query.rtype) if isinstance(query, Query) and asked else "",
        rcode=RCODE_NAMES.get(reply[3] & 15, str(reply[3] & 15)),
        bytes=len(reply),
    )
