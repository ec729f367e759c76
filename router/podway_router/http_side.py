"""A controller's HTTP port: each request routed by itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from podway_proxy.http.answer import CUT, Answer
from podway_proxy.http.front import HttpFront
from podway_proxy.http.target import Target
from podway_router.access.ear import Ear
from podway_router.decide import Match, Redirect
from podway_router.entry import key_of_label, limits_of
from podway_router.extras import extras_of
from podway_router.guard import STEP as RATE_LIMIT
from podway_router.metering.columns import CONNECT_FAILURES, SERVER_ERROR
from podway_router.sticky import Others, Sticky

if TYPE_CHECKING:
    import socket

    from podway_proxy.http.error_page import ErrorPage
    from podway_proxy.http.request import Request
    from podway_proxy.values import Address, Arrival, Endpoint
    from podway_router.entry import ShardEntry
    from podway_router.side import Setting
    from podway_router.ways import Map, Way

HTTPS_PORT = 443
IDLE_GRACE = 1.0
"""Seconds that an idle connection is left open when draining: a client that is at work sends its
next request in that time and is told to go with the answer, instead of meeting a closed door."""
_PUBLIC = {
    "no-service": "its Service does not exist",
    "no-endpoint": "its Services have no endpoint that is ready",
}
"""What a client reads of it: names of Services and pods are for the operator's log."""


def _read_pages(texts: dict[str, str] | None) -> dict[int, ErrorPage]:
    if not texts:
        return {}
    from podway_proxy.http.error_page import read_pages  # where somebody has pages of his own

    return read_pages(texts)


class HttpSide:
    """Decides for each request by its host and path."""

    _proto = "http"

    def __init__(self, setting: Setting) -> None:
        self._plane = setting.plane
        self._log = setting.log
        self._account = setting.account
        self._controller = setting.controller
        self._current = setting.current
        self._wires = setting.wires
        self._choice = setting.choice
        self._guard = setting.guard
        self._meter = setting.meter
        self._began, self._ended = setting.load.began, setting.load.ended
        self._shard = setting.shard
        self._unrouted = 503
        """The status of a request that no Route serves."""
        self._connect_timeout = 0.0
        self._targets: dict[str, Target] = {}
        """By the Route's key, made from the map that was seen last."""
        self._bases: dict[str, tuple[Target, Sticky]] = {}
        """Likewise of Routes that do not take every request alike, with what tells them apart."""
        external = setting.options.external_https_port
        self._suffix = "" if external == HTTPS_PORT else f":{external}"
        self.front = HttpFront(
            setting.plane,
            route=self._route,
            log=setting.log,
            counters=setting.counters,
            takes_proxy=setting.takes_proxy,
            server_name=f"podway-router {setting.controller}",
            explain=setting.options.explain,
            settled=self._settled,
            local=setting.local,
        )
        journal = setting.log if setting.options.access_log else None
        self.access = Ear(setting, journal, lambda: self.front.active)

        self.adapt(setting.shard)

    def accept(self, sock: socket.socket, peer: Address) -> None:
        """Take over an accepted connection."""
        self.front.accept(sock, peer)

    def adapt(self, shard: ShardEntry) -> None:
        """Go by these settings of the controller from now on."""
        limits = limits_of(shard)
        self.front.limits = limits
        self.renew()
        self._connect_timeout = limits.connect_timeout
        self._shard = shard
        self.access.adapt(shard)
        self.front.watch(self.access.http)
        self.front.ignore_empty = shard.ignore_empty
        self.front.answer_empty = not shard.ignore_empty
        self.front.log_empty = shard.log_empty
        self.front.pages = pages = _read_pages(shard.pages)
        self._unrouted = 404 if 404 in pages else 503

    def renew(self) -> None:
        """Look everything up anew: there is another map, or other settings."""
        self._targets.clear()
        self._bases.clear()
        self.front.lanes.forget()

    @property
    def active(self) -> int:
        """Connections that are not over."""
        return self.front.active

    def drain(self) -> None:
        """End each connection with its next answer, and soon those on which nothing moves."""
        self.front.drain()
        if not self._shard.deferred:
            self._plane.deadline(self, self._plane.now + IDLE_GRACE)

    def on_deadline(self) -> None:
        """Close the connections that are idle: their clients had the time to send what was due."""
        self.front.drain(immediate=True)

    def _route(self, request: Request, arrival: Arrival) -> Target | Answer:
        current = self._current()
        tables = current.tables[self._controller]
        found = tables.http(request.host, request.path)
        if isinstance(found, Match):
            return self._serve(current, found.key, request, arrival)
        if isinstance(found, Redirect):
            return self._redirect(request)
        self._account.missed(found, request.host, arrival.client[0], tables)
        return Answer(self._unrouted, found.step, found.public)

    def _settled(self, host: str, _: Arrival) -> bool | None:
        """Tell whether a request's host alone decides where it goes, whoever sends it."""
        current = self._current()
        return self._open(current, current.tables[self._controller].settled(host))

    def _open(self, current: Map, found: Match | None) -> bool:
        """Tell whether a Route takes requests from everybody."""
        if found is None:
            return False
        way = current.ways[found.key]
        return way.allowed is None and not way.entry.step and not way.limited

    def _serve(self, current: Map, key: str, request: Request, arrival: Arrival) -> Target | Answer:
        """Give what a request to that Route gets; its target is made once for each map."""
        target = self._targets.get(key)
        if target is not None:
            return target
        way = current.ways[key]
        if not way.admits(arrival.client[0]):
            reason = f"{way.label}: its allowlist does not name the client's address"
            return self._cut("allowlist", way, reason, arrival)
        beyond = self._guard.refusal(key, way, arrival.client[0], http=True)
        if beyond:
            return self._cut(RATE_LIMIT, way, beyond, arrival)
        if way.allowed is None and not (way.entry.step or way.limited):
            target = self._targets[key] = self._target(way, current)
            return target
        if way.entry.step and not way.entry.kept:
            return self._nobody(way, arrival)
        target, sticky = self._base(current, key, way)  # each client and request is looked at
        own = way.entry.cookie is not None and sticky.holds(request.head) is not None
        if way.entry.step and not own:
            return self._nobody(way, arrival)
        if way.limited:
            return self._guard.guarded(target, key, way, arrival.client[0], own=own)
        return target

    def _base(self, current: Map, key: str, way: Way) -> tuple[Target, Sticky]:
        """Give what requests to a Route get that does not take all of them alike."""
        base = self._bases.get(key)
        if base is None:
            sticky = Sticky(way.namespace, way.entry, Others(down=current.down))
            base = self._bases[key] = self._target(way, current), sticky
        return base

    def _target(self, way: Way, current: Map) -> Target:
        anyone, pick = partial(self._choice.candidates, way), self._choice.pick(way)
        others = Others(anyone, pick, current.down)
        counts = self._meter.of(key_of_label(self._controller, way.label))
        return Target(
            label=way.label,
            counts=counts,
            forwarded=way.entry.forwarded or self._shard.forwarded,
            proto=self._proto,
            server_timeout=way.entry.server_timeout,
            tunnel_timeout=way.entry.tunnel_timeout,
            connect_timeout=self._connect_timeout,
            on_open=self._began,
            on_close=self._ended,
            on_failure=partial(self._connect_failed, way.label, counts),
            wire=self._wires.of(way) if way.entry.server_name else None,
            choose=anyone,
            pick=pick,
            extras=extras_of(way, self._shard, self._proto, others),
        )

    def _connect_failed(
        self, label: str, counts: memoryview, endpoint: Endpoint, reason: str
    ) -> None:
        counts[CONNECT_FAILURES] += 1
        self._choice.failed(label, endpoint, reason)

    def _redirect(self, request: Request) -> Answer:
        self._account.count("redirects_total")
        target = request.target.decode("latin-1") if request.target != b"*" else "/"
        location = f"https://{request.host}{self._suffix}{target}"
        reason = "this host is served over TLS"
        return Answer(302, "redirect", reason, (("Location", location),))

    def _cut(self, step: str, way: Way, reason: str, arrival: Arrival) -> Answer:
        self._account.unserved(step, way.label, reason, arrival.client[0])
        return Answer(CUT, step, reason, label=way.label)

    def _nobody(self, way: Way, arrival: Arrival) -> Answer:
        step = way.entry.step
        self._meter.of(key_of_label(self._controller, way.label))[SERVER_ERROR] += 1
        self._account.unserved(step, way.label, way.entry.why, arrival.client[0])
        return Answer(503, step, f"{way.label}: {_PUBLIC[step]}", label=way.label)
