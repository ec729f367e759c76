"""The router's worker: the two front ends of each controller, and the map that they look up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.balance.load import Load
from podway_proxy.networks import Networks
from podway_proxy.plane.listener import Listener
from podway_proxy.restraint import Restraint
from podway_proxy.room import Room
from podway_proxy.tls.contexts import Contexts
from podway_router import ways
from podway_router.account import COUNTERS, Account
from podway_router.choice import Choice
from podway_router.climb import Climb
from podway_router.entry import HTTP, SHARD, ShardEntry, limits_of, listener_of_key, read_shard
from podway_router.guard import Guard, Shared
from podway_router.http_side import HttpSide
from podway_router.metering.columns import PLACES
from podway_router.metering.meter import Meter
from podway_router.options import read
from podway_router.side import Setting
from podway_router.tls_side import TlsSide
from podway_router.wires import Wires

if TYPE_CHECKING:
    import socket

    from podway_proxy.process.daemon import WorkerLink
    from podway_proxy.process.spec import Json, ListenerSpec
    from podway_proxy.values import Address

__all__ = ["COUNTERS", "LATER", "Worker", "build"]

LATER = (
    "h11",
    "hashlib",
    "html",
    "difflib",
    "uuid",
    "podway_proxy.http.secure",
    "podway_proxy.tls.stream",
    "podway_proxy.http.compressing",
    "podway_proxy.limiting.clients",
    "podway_proxy.limiting.visit",
    "podway_proxy.limiting.hall",
)
"""What only some requests need (see `podway_proxy.process.daemon`)."""


class Door(NamedTuple):
    """A listening socket and what is behind it."""

    controller: str
    listener: Listener
    side: HttpSide | TlsSide


class Worker:
    """Everything that one worker process of a router holds."""

    def __init__(self, link: WorkerLink) -> None:
        self._link = link
        self._options = read(link.options)
        self._account = Account(Restraint(link.plane, link.log), link.counters)
        self._choice = Choice(link.plane, self._account)
        self._meter = Meter(link.counters)
        self._load = Load()
        self._random = Random()  # noqa: S311 - spreads load, keeps no secret
        self._map = ways.Map()
        self._climb = Climb(link.plane, self._options.slow_start, self._rise)
        self._contexts = Contexts()
        self._wires = Wires(link.plane, self._contexts, self.current)
        shared = Shared(link.table_fd, link.bell_fd, link.row)
        self._guard = Guard(
            link.plane, shared, self.current, self._choice, self._load, self._account
        )
        self._shards: dict[str, ShardEntry] = {}
        self._doors: dict[str, Door] = {}
        self._leaving: list[HttpSide | TlsSide] = []
        gauges = ("http_connections", "tls_connections")
        self._room = Room(link.plane, link.log, link.counters, gauges, 0)
        trusted = Networks(self._options.trusted)
        self._takes_proxy: Callable[[str], bool] | None = (
            trusted.holds if self._options.trusted else None
        )

    def listen(self, spec: ListenerSpec, sock: socket.socket) -> None:
        """Serve a listening socket as its key says: http or https, for which controller."""
        kind, controller = listener_of_key(spec.key)
        side = self._side(kind, controller, local_of(sock))
        listener = Listener(self._link.plane, sock, partial(self._accept, side), self._room.starved)
        self._doors[spec.key] = Door(controller, listener, side)
        self._room.add(listener)

    def unlisten(self, key: str) -> None:
        """Accept what is queued, close, and let the connections finish."""
        door = self._doors.pop(key, None)
        if door is None:
            return
        self._room.remove(door.listener)
        door.listener.drain()
        door.side.drain()
        self._leaving = [side for side in (*self._leaving, door.side) if side.active]

    def apply(self, entries: Mapping[str, Json], changed: Collection[str]) -> None:
        """Swap to the full set of entries."""
        if PLACES in changed:
            self._meter.settle(entries.get(PLACES) or {})
        for key in changed:
            if key.startswith(SHARD):
                self._set_shard(key, entries.get(key))
        self._take(ways.rebuilt(self._map, entries, changed, self._means()))
        self._account.forget_misses()
        self._wires.tidy(self._map, changed)
        self._guard.tidy(self._map.ways)

    def drain(self) -> None:
        """Stop accepting; keep-alive connections end with their next answer."""
        for key in list(self._doors):
            self.unlisten(key)

    def active(self) -> int:
        """Count the connections that are still to finish."""
        sides = (*self._leaving, *(door.side for door in self._doors.values()))
        return sum(side.active for side in sides)

    def current(self) -> ways.Map:
        """Give the map in force."""
        return self._map

    def _means(self) -> ways.Means:
        return ways.Means(self._load, self._random, self._climb.ramp())

    def _rise(self) -> None:
        """Give endpoints that grow the weights of now."""
        self._take(ways.risen(self._map, self._means()))

    def _take(self, new: ways.Map) -> None:
        self._map = new
        for side in (*self._leaving, *(door.side for door in self._doors.values())):
            side.renew()
        self._climb.follow(new)

    def _accept(self, side: HttpSide | TlsSide, sock: socket.socket, peer: Address) -> None:
        side.accept(sock, peer)
        self._room.took()

    def _set_shard(self, key: str, value: Json | None) -> None:
        controller = key.removeprefix(SHARD)
        if value is None:
            self._shards.pop(controller, None)  # its listeners go with it
            return
        self._shards[controller] = shard = read_shard(value)
        limits = [limits_of(one) for one in self._shards.values()]
        self._room.most = sum(int(one.max_connections) for one in limits)
        plane = self._link.plane
        plane.limits = plane.limits._replace(fin_timeout=max(one.fin_timeout for one in limits))
        for door in self._doors.values():
            if door.controller == controller:
                door.side.adapt(shard)

    def _side(self, kind: str, controller: str, local: Address) -> HttpSide | TlsSide:
        setting = Setting(
            controller,
            self._link.plane,
            self._link.log,
            self._link.counters,
            self._options,
            self._load,
            self._account,
            current=self.current,
            takes_proxy=self._takes_proxy,
            shard=self._shards[controller],
            contexts=self._contexts,
            wires=self._wires,
            choice=self._choice,
            guard=self._guard,
            meter=self._meter,
            local=local,
        )
        return HttpSide(setting) if kind == HTTP else TlsSide(setting)


def local_of(sock: socket.socket) -> Address:
    """Give a listening socket's address, without host where it is bound to all."""
    host, port = sock.getsockname()[:2]
    return ("" if host in ("0.0.0.0", "::") else host, port)  # noqa: S104 - nothing is bound here


def build(link: WorkerLink) -> Worker:
    """Make the app of a worker process."""
    return Worker(link)
