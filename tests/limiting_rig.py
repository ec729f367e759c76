"""Workers that share a table, on a plane whose clock and run queue the test turns by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from podway_proxy.limiting.hall import Hall
from podway_proxy.limiting.places import Places
from podway_proxy.limiting.table import Table, create
from podway_proxy.limiting.visit import Visit
from podway_proxy.plane.wheel import TICK, Wheel
from podway_proxy.values import Address, Endpoint

CELLS = 1024
ENDPOINTS = [Endpoint("10.0.0.1", 80), Endpoint("10.0.0.2", 80)]


class ByHand:
    """The parts of a Plane that lines need."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._queue: list[Callable[[], None]] = []
        self._wheel = Wheel(now)

    def soon(self, callback: Callable[[], None]) -> None:
        self._queue.append(callback)

    def deadline(self, timed: Any, at: float) -> None:
        self._wheel.put(timed, at)

    def watch(self, *_: Any) -> bool:
        return False

    def unwatch(self, _: int) -> None:
        pass

    def settle(self) -> None:
        """End the batch."""
        while self._queue:
            self._queue.pop(0)()

    def pass_time(self, seconds: float) -> None:
        """Let it become later, a tick at a time."""
        end = self.now + seconds
        while self.now < end:
            self.now += TICK
            for timed in self._wheel.due(self.now):
                timed.on_deadline()
            self.settle()


class Asking:
    """One request on its way."""

    def __init__(self, worker: Worker, *, faithful: bool = False) -> None:
        self.visit = Visit(worker.hall, "10.9.9.9").placed(worker.places, faithful=faithful)
        self.candidates: Iterator[Endpoint] | None = None
        self.endpoint: Endpoint | None = None
        self.refused = ""
        self._take(self.visit.enter(worker.choose("10.9.9.9"), self._take, self._fail))

    def _take(self, candidates: Iterator[Endpoint] | None) -> None:
        if candidates is not None:
            self.candidates = candidates
            self.next()

    def _fail(self, reason: str) -> None:
        self.refused = reason

    @property
    def waits(self) -> bool:
        return self.candidates is None and not self.refused

    def next(self) -> None:
        """Be with the next candidate, if there is one."""
        assert self.candidates is not None
        self.endpoint = next(self.candidates, None)

    def open(self) -> None:
        assert self.endpoint is not None
        self.visit.opened(self.endpoint)

    def end(self) -> None:
        assert self.endpoint is not None
        endpoint, self.endpoint = self.endpoint, None
        self.visit.closed(endpoint)


class Worker:
    """One worker of a daemon, with one Route."""

    def __init__(self, fd: int, row: int, most: int) -> None:
        self.plane: Any = ByHand()
        self.hall = Hall(self.plane, Table(fd, row), lambda _: self)
        self.places: Places = self.hall.places("shop/web", most)
        self.addresses = {one.address for one in ENDPOINTS}
        self._turn = row

    def choose(self, _: str) -> Iterator[Endpoint]:
        """Give the endpoints by turns."""
        self._turn += 1
        first = self._turn % len(ENDPOINTS)
        return iter(ENDPOINTS[first:] + ENDPOINTS[:first])

    def has(self, address: Address) -> bool:
        return address in self.addresses

    def ask(self, *, faithful: bool = False) -> Asking:
        return Asking(self, faithful=faithful)


class Crew:
    """All workers, and what a master does for them."""

    def __init__(self, workers: int, most: int) -> None:
        self.fd = create(workers, CELLS)
        self._master = Table(self.fd)
        for row in range(workers):
            self._master.open(row)
        self.workers = [Worker(self.fd, row, most) for row in range(workers)]

    def kill(self, row: int) -> None:
        self._master.clear(row)

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK)):
            for worker in self.workers:
                worker.plane.pass_time(TICK)

    def settle(self) -> None:
        for worker in self.workers:
            worker.plane.settle()

    def active(self) -> list[int]:
        """What the table says is with each endpoint."""
        table = self.workers[0].hall.table
        keys = (table.key(f"place shop/web {one.host} {one.port}") for one in ENDPOINTS)
        return [self._master_active(key) for key in keys]

    def _master_active(self, key: int) -> int:
        return self._master.active(key)

    def close(self) -> None:
        os.close(self.fd)
