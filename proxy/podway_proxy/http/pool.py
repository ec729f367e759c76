"""Kept endpoint connections: the one used last is used next, so the rest can grow old and go."""

from __future__ import annotations

import math

from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.plane.plane import Plane
from podway_proxy.values import Address, Endpoint

SWEEP = 5.0
"""Seconds between two looks for connections that nobody used for too long."""


class Pool:
    """Idle connections by address, at most `per_endpoint` each, at most `idle_timeout` seconds."""

    __slots__ = ("_idle", "_idle_timeout", "_per_endpoint", "_plane", "_sweep", "_sweeping")

    def __init__(self, plane: Plane, per_endpoint: int, idle_timeout: float) -> None:
        self._plane = plane
        self._per_endpoint = per_endpoint
        self._idle_timeout = idle_timeout
        self._idle: dict[Address, list[EndpointConnection]] = {}
        self._sweep = min(SWEEP, idle_timeout)
        self._sweeping = False

    def __len__(self) -> int:
        """Give how many connections are kept."""
        return sum(map(len, self._idle.values()))

    def take(self, endpoint: Endpoint) -> EndpointConnection | None:
        """Give the kept connection that was used last; None if there is none."""
        kept = self._idle.get((endpoint[0], endpoint[1]))
        return kept.pop() if kept else None

    def put(self, connection: EndpointConnection) -> None:
        """Keep a connection whose last answer is complete."""
        address = connection.endpoint[:2]
        kept = self._idle.get(address)
        if kept is None:
            kept = self._idle[address] = []
        if len(kept) >= self._per_endpoint:
            connection.close()
            return
        connection.user = None
        connection.used = True
        connection.idle_since = self._plane.now
        kept.append(connection)
        if not self._sweeping:
            self._sweeping = True
            self._plane.deadline(self, self._plane.now + self._sweep)

    def drop(self, connection: EndpointConnection) -> None:
        """Close one that ended while it was kept."""
        kept = self._idle.get(connection.endpoint[:2])
        if kept and connection in kept:
            kept.remove(connection)
        connection.close()

    def close(self) -> None:
        """Close all that are kept."""
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        self._sweeping = False
        self._plane.deadline(self, math.inf)

    def on_deadline(self) -> None:
        """Close what was idle for too long: the bottom of each stack, as use is at its top."""
        oldest = self._plane.now - self._idle_timeout
        for address in list(self._idle):
            kept = self._idle[address]
            old = [connection for connection in kept if connection.idle_since <= oldest]
            for connection in old:
                kept.remove(connection)
                connection.close()
            if not kept:
                del self._idle[address]
        self._sweeping = bool(self._idle)
        if self._sweeping:
            self._plane.deadline(self, self._plane.now + self._sweep)
