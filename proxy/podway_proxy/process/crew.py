"""The master's children: starting them, giving them what they need, noticing their end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from podway_proxy import counters
from podway_proxy.counters import Counters
from podway_proxy.limiting import bell
from podway_proxy.limiting import table as limits
from podway_proxy.log import Log, Style
from podway_proxy.process.channel import pair
from podway_proxy.process.daemon import Daemon
from podway_proxy.process.generation import LOADER, SERVING, WORKER, Child, Generation
from podway_proxy.process.spawn import spawn
from podway_proxy.process.supervise import MOST_GENERATIONS, free_row


class Crew:
    """All living processes, by pid, in their generations."""

    def __init__(
        self,
        daemon: Daemon,
        options: dict[str, Any],
        log: Log,
        counters_fd: int = -1,
        state_fd: int = -1,
        limits_fds: Sequence[int] = (),
    ) -> None:
        self.daemon = daemon
        self.options = options
        self.log = log
        self.workers: int = options["workers"]
        rows = self.workers * (MOST_GENERATIONS + 1)
        self.counters_fd = counters.create(rows) if counters_fd < 0 else counters_fd
        self.counters = Counters(self.counters_fd)
        self.limits_fds = list(limits_fds) or [limits.create(rows), bell.create()]
        """What limits per daemon go by: the table that workers share, and their bell."""
        self._limits = limits.Table(self.limits_fds[0])
        self.state_fd = state_fd
        """The loader's last-good objects, for the next loader; -1: none."""
        self.generations: list[Generation] = []
        self.epoch = 0
        """How many loaders there were: their versions go on where the one before ended."""
        self.restarts = 0

    def children(self) -> Iterator[Child]:
        """Give every living process."""
        for generation in self.generations:
            yield from generation.children()

    def generation(self, number: int) -> Generation | None:
        """Find a generation that is still alive."""
        return next((one for one in self.generations if one.number == number), None)

    @property
    def serving(self) -> Generation | None:
        """The generation that new connections go to."""
        return next((one for one in self.generations if one.state == SERVING), None)

    def begin(self) -> Generation:
        """Start a generation: its loader and its workers at the same time."""
        made = Generation(self.generations[-1].number + 1 if self.generations else 1)
        self.generations.append(made)
        self.start_loader(made)
        for index in range(self.workers):
            self.start_worker(made, index)
        return made

    def start_loader(self, generation: Generation) -> Child:
        """Start a loader and link it to the workers of its generation."""
        self.epoch += 1
        child = self._start(LOADER, 0, -1, generation)
        generation.loader = child
        child.ready = 0
        fds = [self.counters_fd] + ([self.state_fd] if self.state_fd >= 0 else [])
        child.channel.send(self._welcome(child) | {"epoch": self.epoch}, fds)
        for worker in generation.workers.values():
            self._link(generation, worker)
        return child

    def start_worker(self, generation: Generation, index: int) -> Child:
        """Start a worker and link it to the loader of its generation."""
        used = {child.row for child in self.children()}
        row = free_row(self.counters.rows, used, index)
        self.counters.clear_gauges(row)
        self._limits.open(row)
        child = self._start(WORKER, index, row, generation)
        generation.workers[index] = child
        child.channel.send(self._welcome(child), [self.counters_fd, *self.limits_fds])
        self._link(generation, child)
        return child

    def forget(self, child: Child) -> None:
        """Forget a process that has ended, and what it counted as its own."""
        if child.row >= 0:
            self.counters.clear_gauges(child.row)
            self._limits.clear(child.row)
        generation = self.generation(child.generation)
        if generation is not None:
            generation.remove(child)

    def keep_state(self, fd: int) -> None:
        """Hold a loader's state in place of the one before; -1 for none."""
        if self.state_fd >= 0:
            os.close(self.state_fd)
        self.state_fd = fd

    def _start(self, role: str, index: int, row: int, generation: Generation) -> Child:
        channel, theirs = pair()
        who = f"{self.daemon.name}[{self.daemon.instance}]"
        words = [str(theirs.fileno()), who, role, str(index)]
        pid = spawn(role, "main", words, [theirs.fileno()])
        theirs.close()
        child = Child(role, index, row, generation.number, pid, channel)
        self.log.debug("started", process=str(child), pid=pid, generation=generation.number)
        return child

    def _welcome(self, child: Child) -> dict[str, Any]:
        return {
            "op": "start",
            "daemon": self.daemon,
            "options": self.options,
            "style": self.log.style,
            "index": child.index,
            "row": child.row,
            "workers": self.workers,
            "generation": child.generation,
        }

    def _link(self, generation: Generation, worker: Child) -> None:
        if generation.loader is None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours, theirs:
            about = {"op": "worker", "index": worker.index, "pid": worker.pid}
            generation.loader.channel.send(about, [ours.fileno()])
            worker.channel.send({"op": "loader"}, [theirs.fileno()])

    def freeze(self) -> dict[str, Any]:
        """Give it all as JSON, for the master that re-executes itself."""
        return {
            "daemon": self.daemon,
            "options": self.options,
            "counters_fd": self.counters_fd,
            "state_fd": self.state_fd,
            "limits_fds": self.limits_fds,
            "epoch": self.epoch,
            "restarts": self.restarts,
            "generations": [generation.freeze() for generation in self.generations],
        }

    @classmethod
    def thaw(cls, frozen: dict[str, Any], style: Style) -> Crew:
        """Take over the children of the program before exec."""
        daemon = Daemon(*frozen["daemon"])
        log = Log(daemon.name, daemon.instance, "master", style)
        held = frozen["counters_fd"], frozen["state_fd"], frozen.get("limits_fds", ())
        crew = cls(daemon, frozen["options"], log, *held)
        crew.epoch, crew.restarts = frozen["epoch"], frozen["restarts"]
        crew.generations = [Generation.thaw(one) for one in frozen["generations"]]
        return crew

    def descriptors(self) -> Iterator[int]:
        """Give what must survive exec, besides listeners."""
        yield self.counters_fd
        yield from self.limits_fds
        if self.state_fd >= 0:
            yield self.state_fd
        for child in self.children():
            yield child.channel.fileno()
            yield from child.channel.freeze()["fds"]
