"""The HTTP/1.1 front end: what a listener hands its connections to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from podway_proxy.counters import Counters
from podway_proxy.http.access import ABORTED, AccessRecord
from podway_proxy.http.answer import Answer, one_line, render
from podway_proxy.http.answering import Answering
from podway_proxy.http.asker import Asker
from podway_proxy.http.exchange import Exchange
from podway_proxy.http.finding import NOWHERE
from podway_proxy.http.lane import Lanes, Settled
from podway_proxy.http.pool import Pool
from podway_proxy.http.quick import QuickClient
from podway_proxy.http.recording import address_of, record, unread
from podway_proxy.http.request import Request
from podway_proxy.http.response import SWITCHING
from podway_proxy.http.target import Target
from podway_proxy.http.watched import WatchedExchange
from podway_proxy.limits import DEFAULT, Limits
from podway_proxy.log import Log
from podway_proxy.plane.plane import Plane
from podway_proxy.restraint import Restraint
from podway_proxy.values import Address, Arrival

if TYPE_CHECKING:
    from podway_proxy.http.error_page import ErrorPage
    from podway_proxy.plane.relay import Ended
    from podway_proxy.tls.stream import TlsStream

SWEEP: Final = 0.5
"""Seconds between two looks at all clients' deadlines: 50,000 of them take 3 ms a look, and a
request that puts its deadline off pays an assignment, not a call."""

STEPS: Final = (
    "no-route",
    "no-service",
    "no-endpoint",
    "connect",
    "queue",
    "bad-request",
    "head-timeout",
    "body-timeout",
    "server-timeout",
    "reset",
    "bad-answer",
    "proxy",
    "untrusted-proxy",
    "other",
)

COUNTERS: Final = (
    *(f"http_requests_total:code={code}xx" for code in range(1, 6)),
    *(f"http_refused_total:step={step}" for step in STEPS),
    "http_connections_total",
    "http_connections",
    "http_aborted_total",
    "http_retries_total",
)
"""Names of what an HttpFront counts; a worker registers them with its own."""


class HttpFront:
    """Serves HTTP/1.1 and 1.0 to accepted connections; each request is routed by itself.

    `route(request, arrival)` decides: a Target to carry the request to, or an Answer to give.
    `takes_proxy(host)`: None takes no PROXY header; else a peer it is true for must begin with
    one, and any other is refused. `server_name` signs our own pages. `explain` adds
    X-Podway-Reason to them. `access` is told of each request, when it has ended. `pool` may be
    shared by several fronts of one plane. `local` is the address of the listening socket, with
    an empty host when it is bound to many; what it does not say a connection is asked for.
    `settled(host, arrival)` tells of hosts whose usual requests may take the fast lane; who gives
    it calls `lanes.forget` whenever requests may get other targets than before.
    """

    def __init__(
        self,
        plane: Plane,
        *,
        route: Callable[[Request, Arrival], Target | Answer],
        limits: Limits = DEFAULT,
        log: Log | None = None,
        counters: Counters | None = None,
        takes_proxy: Callable[[str], bool] | None = None,
        server_name: str = "podway",
        explain: bool = False,
        access: Callable[[AccessRecord], None] | None = None,
        pool: Pool | None = None,
        local: Address | None = None,
        settled: Settled | None = None,
    ) -> None:
        self.plane = plane
        self.route = route
        self.limits = limits
        self.log = log
        self._refusals = None if log is None else Restraint(plane, log)
        self.takes_proxy = takes_proxy
        self.server_name = server_name
        self.explain = explain
        self.settled = settled
        self.lanes = Lanes()
        self.access: Callable[[AccessRecord], None] | None = None
        self.exchange: type[Exchange] = Exchange
        self.answer_empty = False
        """A connection on which nothing came in time gets 408; else it is closed without a word."""
        self.ignore_empty = False
        """What ends without a byte is no event at all: not answered, counted or recorded."""
        self.log_empty = True
        """A connection that ended without a byte is recorded."""
        self.pool = (
            pool
            if pool is not None
            else Pool(plane, limits.pool_per_endpoint, limits.pool_idle_timeout)
        )
        self.local = local if local is not None and local[0] else None
        self.port = 0 if local is None else local[1]
        self.pages: Mapping[int, ErrorPage] = {}
        """The operator's own pages, by status, in place of ours."""
        self.draining = False
        self._clients: set[QuickClient] = set()
        self.watch(access)
        self._name_slots(Counters() if counters is None else counters)

    def _name_slots(self, counters: Counters) -> None:
        slots = {name: counters.slot(name) for name in COUNTERS}
        self.row = counters.row
        self.by_class = [slots[f"http_requests_total:code={max(c, 1)}xx"] for c in range(6)]
        self._by_step = {step: slots[f"http_refused_total:step={step}"] for step in STEPS}
        self._connections = slots["http_connections_total"]
        self._open = slots["http_connections"]
        self._aborted = slots["http_aborted_total"]
        self._retries = slots["http_retries_total"]

    def watch(self, access: Callable[[AccessRecord], None] | None) -> None:
        """Tell `access` of each request from now on; None: nobody.

        A request that is under way, and those after it on its connection, have no times and bytes
        in their records.
        """
        self.access = access
        kind = Exchange if access is None else WatchedExchange
        if kind is not self.exchange:
            self.exchange = kind
            for client in self._clients:
                client.renew()
        self.lanes.forget()

    def page(self, answer: Answer, head: bytes, close: bool) -> bytes:
        """Give the bytes of an answer of our own to a request with this head."""
        own = self.pages.get(answer.status) if answer.body is None else None
        if own is None:
            return render(answer, head, self.server_name, close, self.explain)
        return own.render(head, close, one_line(answer) if self.explain else "")

    def exchange_for(self, client: Asker) -> Exchange:
        """Make the exchange that will serve a client's requests."""
        return self.exchange(client, self.plane, self.pool, self.limits.head_bytes)

    @property
    def active(self) -> int:
        """Clients whose connections are not over, tunnels included."""
        return len(self._clients)

    def accept(self, sock: socket.socket, peer: Address) -> None:
        """Take a connection that a listener has accepted."""
        if self.takes_proxy is not None and not self.takes_proxy(peer[0]):
            self.refused("untrusted-proxy", "this address may not send a PROXY header", peer)
            self.plane.close(sock)
            return
        self.row[self._connections] += 1
        self.row[self._open] += 1
        if not self._clients:
            self.plane.deadline(self, self.plane.now + SWEEP)
        client = QuickClient(self, sock, peer)
        self._clients.add(client)
        client.begin()

    def admit(self, stream: TlsStream, arrival: Arrival) -> None:
        """Take a connection whose TLS ends here, after its handshake."""
        from podway_proxy.http.secure import SecureClient  # imports ssl: only where it is used

        self.row[self._connections] += 1
        self.row[self._open] += 1
        if not self._clients:
            self.plane.deadline(self, self.plane.now + SWEEP)
        client = SecureClient(self, stream, arrival)
        self._clients.add(client)
        client.begin()

    def on_deadline(self) -> None:
        """Look for clients whose time is over."""
        now = self.plane.now
        late = [client for client in self._clients if client.due <= now]
        for client in late:
            client.expire()
        if self._clients:
            self.plane.deadline(self, now + SWEEP)

    def drain(self, immediate: bool = False) -> None:
        """End each connection with its next answer; `immediate` closes idle ones now.

        The endpoint connections that are kept go with the next sweep of the pool.
        """
        self.draining = True
        self.lanes.forget()
        for client in list(self._clients):
            client.unhurry()
            if immediate:
                client.close_if_idle()

    def stop(self) -> None:
        """Cut every connection, with RST, and let go of the kept ones."""
        for client in list(self._clients):
            client.stop()
        self.pool.close()

    def learn(self, request: Request, arrival: Arrival, target: Target) -> None:
        """Have the requests after this one, which has that target, take the lane if they may."""
        if self.settled is not None and self.access is None and not self.draining:
            self.lanes.learn(request, arrival, target, self.settled, self.limits)

    # ---- what clients tell ----------------------------------------------------------------

    def ended(self, client: Answering) -> None:
        """Forget a client whose connection is over."""
        self._clients.discard(client)
        self.row[self._open] -= 1

    def refused(self, step: str, reason: str, client: Address | None, **more: str) -> None:
        """Count and log something that was not served; empty fields of `more` are left out."""
        self._count(step)
        if self._refusals is not None:
            who = f"{client[0]}:{client[1]}" if client else "-"
            fields = {key: value for key, value in more.items() if value}
            self._refusals.info("refused", step=step, reason=reason, client=who, **fields)

    def _count(self, step: str) -> None:
        self.row[self._by_step.get(step, self._by_step["other"])] += 1

    def answered(
        self, client: Answering, exchange: Exchange, answer: Answer | None, page: int = 0
    ) -> None:
        """Count and record a request that has its answer: the endpoint's, or `answer`.

        `page` is how many bytes an answer of our own has.
        """
        response = exchange.response
        status = answer.status if answer is not None else response.status if response else 0
        self.row[self.by_class[status // 100]] += 1
        if (counts := exchange.target.counts) is not None:
            counts[status // 100] += 1
        if exchange.attempts > 1:
            self.row[self._retries] += exchange.attempts - 1
        if answer is not None and status >= 400:
            self._failed(client, exchange, answer)
        if self.access is not None and (answer is not None or status != SWITCHING):
            self.access(record(client, exchange, status, answer, self.plane.now, page))

    def tunnelled(self, client: Answering, exchange: Exchange, ended: Ended) -> None:
        """Record a request that became a tunnel, when that has ended."""
        if self.access is not None:
            if isinstance(exchange, WatchedExchange):
                exchange.tunnelled(ended)
            self.access(record(client, exchange, SWITCHING, None, self.plane.now))

    def _failed(self, client: Answering, exchange: Exchange, answer: Answer) -> None:
        """Count a request that no pod answered, and log it where an endpoint failed.

        Where `route` said no, it knows more about that and logs it itself.
        """
        label = exchange.target.label
        if exchange.target is NOWHERE:
            self._count(answer.step)
        else:
            host, reason, detail = client.request.host, answer.reason, answer.detail
            who = address_of(client)
            self.refused(answer.step, reason, who, host=host, by=label, detail=detail)

    def answered_unread(
        self, client: Answering, exchange: Exchange, answer: Answer, page: int = 0
    ) -> None:
        """Count and record bytes that did not become a request."""
        self.row[self.by_class[answer.status // 100]] += 1
        self.refused(answer.step, answer.reason, address_of(client))
        if self.access is not None and (client.buffer or self.log_empty):
            self.access(unread(client, exchange, answer, self.plane.now, page))

    def unheard(self, client: Answering, exchange: Exchange, late: bool) -> Answer | None:
        """Deal with a connection that ends without a whole request; give an answer if one is due.

        `late`: its time was over; else the client has closed it.
        """
        empty = not client.buffer
        if client.arrival is None or (empty and (client.served or self.ignore_empty)):
            return None  # an idle connection's usual end, or a probe
        if late and self.answer_empty:
            seconds = self.limits.head_timeout
            return Answer(408, "head-timeout", f"no request came in {seconds:g} s")
        if self.access is not None and (not empty or self.log_empty):
            gone = Answer(400, "client-gone", "the client left before its request was whole")
            self.access(unread(client, exchange, gone, self.plane.now))
        return None

    def aborted(self, client: Answering, exchange: Exchange, reason: str) -> None:
        """Count and record a request whose answer the client did not get whole."""
        self.row[self._aborted] += 1
        if (counts := exchange.target.counts) is not None:
            counts[0] += 1
        if self.access is not None:
            response = exchange.response
            status = response.status if response is not None else 0
            cut = Answer(status, ABORTED, reason)
            self.access(record(client, exchange, status, cut, self.plane.now))
