"""The master's records: its children, and the generations they belong to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from podway_proxy.process.channel import Channel
from podway_proxy.process.spec import ListenerSpec
from podway_proxy.process.supervise import Backoff

LOADER: Final = "loader"
WORKER: Final = "worker"
STARTING: Final = "starting"
SERVING: Final = "serving"
DRAINING: Final = "draining"


class Child:
    """A running loader or worker, as the master sees it."""

    __slots__ = ("channel", "generation", "given", "index", "pid", "ready", "role", "row", "since")

    def __init__(
        self, role: str, index: int, row: int, generation: int, pid: int, channel: Channel
    ) -> None:
        self.role = role
        self.index = index
        """Which worker of its generation; 0 for the loader."""
        self.row = row
        """Its row of the counters; -1 for the loader."""
        self.generation = generation
        self.pid = pid
        self.channel = channel
        self.since = time.monotonic()
        self.ready = 0
        """Worker: the version up to which it serves all it was given. Loader: 1 after its first
        load."""
        self.given: dict[str, ListenerSpec] = {}

    def __str__(self) -> str:
        """Give `loader` or `worker 0`."""
        return self.role if self.role == LOADER else f"{self.role} {self.index}"

    def freeze(self) -> dict[str, Any]:
        """Give the record as JSON."""
        kept = ("role", "index", "row", "generation", "pid", "ready", "since")
        frozen: dict[str, Any] = {name: getattr(self, name) for name in kept}
        frozen["given"] = [spec._asdict() for spec in self.given.values()]
        return frozen | {"channel": self.channel.freeze()}

    @classmethod
    def thaw(cls, frozen: dict[str, Any]) -> Child:
        """Make the record again."""
        channel = Channel.thaw(frozen["channel"])
        role, index, row = frozen["role"], frozen["index"], frozen["row"]
        child = cls(role, index, row, frozen["generation"], frozen["pid"], channel)
        child.ready, child.since = frozen["ready"], frozen["since"]
        child.given = {spec["key"]: ListenerSpec(**spec) for spec in frozen["given"]}
        return child


class Generation:
    """Workers of one age of the code, and the loader that feeds them."""

    __slots__ = ("backoff", "loader", "number", "state", "version", "wanted", "workers")

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = STARTING
        self.loader: Child | None = None
        self.workers: dict[int, Child] = {}
        self.wanted: tuple[ListenerSpec, ...] = ()
        """The listeners that its loader asked for."""
        self.version = 0
        """The loader's version of those."""
        self.backoff: dict[str, Backoff] = {}

    def children(self) -> Iterator[Child]:
        """Give all its living processes."""
        if self.loader is not None:
            yield self.loader
        yield from self.workers.values()

    def complete(self, workers: int) -> bool:
        """Tell whether it serves: loaded once, and every worker has all it was to be given."""
        return (
            self.loader is not None
            and self.loader.ready > 0
            and len(self.workers) == workers
            and all(worker.ready >= self.version for worker in self.workers.values())
        )

    def remove(self, child: Child) -> None:
        """Forget a process that has ended."""
        if child is self.loader:
            self.loader = None
        elif self.workers.get(child.index) is child:
            del self.workers[child.index]

    def died(self, child: Child) -> float:
        """Count a death; give the seconds to wait before it is replaced."""
        name = str(child)
        lived = time.monotonic() - child.since
        self.backoff[name] = self.backoff.get(name, Backoff()).died(lived)
        return self.backoff[name].delay

    def freeze(self) -> dict[str, Any]:
        """Give the record as JSON."""
        return {
            "number": self.number,
            "state": self.state,
            "version": self.version,
            "wanted": [spec._asdict() for spec in self.wanted],
            "children": [child.freeze() for child in self.children()],
        }

    @classmethod
    def thaw(cls, frozen: dict[str, Any]) -> Generation:
        """Make the record again."""
        made = cls(frozen["number"])
        made.state, made.version = frozen["state"], frozen["version"]
        made.wanted = tuple(ListenerSpec(**spec) for spec in frozen["wanted"])
        for child in map(Child.thaw, frozen["children"]):
            if child.role == LOADER:
                made.loader = child
            else:
                made.workers[child.index] = child
        return made
