"""The load balancer's worker: each accepted connection to a ready endpoint of its Service."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from podway_lb import table
from podway_lb.options import read
from podway_lb.table import Table, Target
from podway_proxy.balance.load import Load
from podway_proxy.plane.front import TcpFront
from podway_proxy.plane.listener import Listener
from podway_proxy.plane.tunnel import Closed
from podway_proxy.proxy_protocol import UNIQUE_ID, encode_v2
from podway_proxy.restraint import Restraint
from podway_proxy.room import Room
from podway_proxy.values import Arrival, Decision, Endpoint, Forward, Refuse

if TYPE_CHECKING:
    import socket

    from podway_proxy.process.daemon import WorkerLink
    from podway_proxy.process.spec import Json, ListenerSpec
    from podway_proxy.values import Address

STEPS = ("no-service", "source-range", "no-endpoint", "connect")
Decide = Callable[[Arrival, None, bool], Decision]
UNSPECIFIED = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to
COUNTERS = (
    "connections_total",
    "connections",
    "connect_failures_total",
    "bytes_total:direction=to_server",
    "bytes_total:direction=to_client",
    *(f"refused_total:step={step}" for step in STEPS),
)


class Door:
    """A listener's front end, and the Service that it serves at present."""

    __slots__ = ("_front", "_key", "_open", "_opened", "_room", "_row", "_worker")

    def __init__(self, worker: Worker, spec: ListenerSpec, sock: socket.socket) -> None:
        self._worker = worker
        self._row = worker.row
        self._opened, self._open = worker.opened, worker.open
        self._room = worker.room
        self._key = spec.key
        self._front: TcpFront[None] = worker.front(self._decide, spec, sock)

    def accept(self, sock: socket.socket, peer: Address) -> None:
        """Take over an accepted connection."""
        row = self._row
        row[self._opened] += 1
        row[self._open] += 1
        self._room.took()
        self._front.accept(sock, peer)

    def _decide(self, arrival: Arrival, _found: None, _preamble: bool) -> Decision:
        way = self._worker.ways.get(self._key)
        if way is None:
            return Refuse("no-service", f"no Service is served at {self._key}")
        target = way.target
        if target.ranges is not None and not target.ranges.holds(arrival.client[0]):
            reason = f"{arrival.client[0]} is in none of {target.label}'s loadBalancerSourceRanges"
            return Refuse("source-range", reason)
        if not target.usable:
            return Refuse("no-endpoint", f"{target.label}: {target.entry.why}")
        return way.forward


class Way(NamedTuple):
    """Where a listener's connections go."""

    target: Target
    forward: Forward


class Worker:
    """Listeners, a door each, and the table that they look their Service up in."""

    def __init__(self, link: WorkerLink) -> None:
        self._plane = link.plane
        self._log = link.log
        self._failures = Restraint(link.plane, link.log)
        self._options = read(link.options)
        self._load = Load()
        self._random = Random()  # noqa: S311 - spreads load, keeps no secret
        self._table = Table()
        self.ways: Mapping[str, Way] = {}
        """By listener."""
        self._listeners: dict[str, Listener] = {}
        self.row = link.counters.row
        self._slots = {name: link.counters.slot(name) for name in COUNTERS}
        self.opened, self.open = self._slots["connections_total"], self._slots["connections"]
        self._to_server = self._slots["bytes_total:direction=to_server"]
        self._to_client = self._slots["bytes_total:direction=to_client"]
        counted = ("connections",)
        most = self._plane.limits.max_connections
        self.room = Room(self._plane, self._log, link.counters, counted, most)
        self._id_prefix = os.urandom(8)
        self._id = 0

    def listen(self, spec: ListenerSpec, sock: socket.socket) -> None:
        """Serve a listening socket."""
        door = Door(self, spec, sock)
        listener = Listener(self._plane, sock, door.accept, self.room.starved)
        self._listeners[spec.key] = listener
        self.room.add(listener)

    def front(self, decide: Decide, spec: ListenerSpec, sock: socket.socket) -> TcpFront[None]:
        """Make the front end of a listener."""
        return TcpFront(
            self._plane,
            decide=decide,
            log=self._log,
            local=None if spec.host in UNSPECIFIED else sock.getsockname()[:2],
            source=self._options.source,
            on_closed=self._closed,
        )

    def unlisten(self, key: str) -> None:
        """Accept what is queued, then close."""
        listener = self._listeners.pop(key, None)
        if listener is not None:
            self.room.remove(listener)
            listener.drain()

    def apply(self, entries: Mapping[str, Json], changed: Collection[str]) -> None:
        """Swap to the full set of entries."""
        self._table = table.build(entries, self._table, self._load, self._random)
        self.ways = {
            key: Way(target, self._forward(target))
            for key, target in self._table.by_listener.items()
        }

    def drain(self) -> None:
        """Stop accepting; connections go on until they end."""
        for key in list(self._listeners):
            self.unlisten(key)

    def active(self) -> int:
        """Count the connections that are still to finish."""
        return self.row[self.open]

    def _forward(self, target: Target) -> Forward:
        return Forward(
            choose=target.balancer.candidates,
            label=target.label,
            announce=self._announce if target.entry.proxy else None,
            on_open=self._load.began,
            on_close=self._load.ended,
            on_failure=partial(self._failed, target),
        )

    def _announce(self, arrival: Arrival) -> bytes:
        if not self._options.unique_id:
            return encode_v2(arrival.client, arrival.local)
        self._id += 1
        unique = self._id_prefix + self._id.to_bytes(8, "big")
        return encode_v2(arrival.client, arrival.local, ((UNIQUE_ID, unique),))

    def _failed(self, target: Target, endpoint: Endpoint, reason: str) -> None:
        self.row[self._slots["connect_failures_total"]] += 1
        self._failures.info(
            "connect failed", by=target.label, endpoint=str(endpoint), reason=reason
        )

    def _closed(self, closed: Closed) -> None:
        row = self.row
        row[self.open] -= 1
        row[self._to_server] += closed.to_server
        row[self._to_client] += closed.to_client
        if closed.refused is not None:
            slot = self._slots.get(f"refused_total:step={closed.refused.step}")
            if slot is not None:
                row[slot] += 1


def build(link: WorkerLink) -> Worker:
    """Make the app of a worker process."""
    return Worker(link)
