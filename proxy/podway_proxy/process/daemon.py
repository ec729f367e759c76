"""What a daemon gives to the processes, and what it gets: the seams between them.

A daemon is a command, a loader module and a worker module. The loader module has
`def build(options: dict[str, Any], state: bytes | None) -> LoaderApp`, the worker module
`def build(worker: WorkerLink) -> WorkerApp`, `COUNTERS: tuple[str, ...]`, the names of what it
counts, and, where there are some, `LATER: tuple[str, ...]`: modules that only some requests need.
They are imported soon after the start, so that it does not wait for them, and so that no request
meets a file that can't be opened because descriptors have run out. Both modules are imported in
processes of their own only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence

    from podway_proxy.counters import Counters
    from podway_proxy.log import Log
    from podway_proxy.plane.plane import Plane
    from podway_proxy.process.spec import Compiled, Json, ListenerSpec

S = TypeVar("S")


class CannotStart(Exception):  # noqa: N818 - reads as what it says where it is raised
    """The daemon can't do what its options ask for; the message says what, why, what to do.

    Raised by a loader's `build`, or by its `compile` for the first snapshot (no such controller):
    the daemon ends with exit code 3 and the message, without a trace back. `problems` are lines
    to log before: what is wrong with the objects is often why the wanted ones are not there.
    """

    def __init__(self, message: str = "", problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class Daemon(NamedTuple):
    """A daemon's name, which one of its kind it is, and where its code is."""

    name: str
    """`podway-lb`."""
    instance: str
    """`lb-a`: which one this is, in logs and in the process list."""
    loader: str
    """The loader's module, `podway_lb.loader`."""
    worker: str
    """The worker's module, `podway_lb.worker`."""


class LoaderApp(Protocol[S]):
    """The part of a daemon that reads objects; it runs in the loader process, under asyncio."""

    def snapshots(self) -> AsyncIterator[S]:
        """Give the first snapshot at once, then one after each change."""

    def compile(self, snapshot: S) -> Compiled:
        """Turn a snapshot into entries, listeners and probes. Pure."""

    def state(self) -> bytes | None:
        """Give the last-good objects held in place of bad ones: the next loader gets them."""

    def debug(self) -> Mapping[str, Callable[[], Json]]:
        """Give the pages of `/debug/<name>`."""

    def check(self) -> Sequence[str]:
        """Load once and give what is wrong as finished lines (`--check`)."""


class WorkerLink:
    """What a worker's app is given.

    `plane` is attached to the running loop; `counters` is this worker's row, with the module's
    COUNTERS registered; `options` is the command line as parsed; `index` says which worker of its
    generation this is, from 0, and `workers` how many there are, to share out what is per daemon.
    `table_fd` and `bell_fd` are what `podway_proxy.limiting` shares between the workers, -1:
    nothing is shared; `row` is this worker's.
    """

    # Not a dataclass: the master imports this module, and dataclasses would double its start-up.
    __slots__ = (
        "bell_fd",
        "counters",
        "index",
        "log",
        "options",
        "plane",
        "row",
        "table_fd",
        "workers",
    )

    def __init__(
        self,
        plane: Plane,
        log: Log,
        counters: Counters,
        options: dict[str, Any],
        index: int = 0,
        workers: int = 1,
    ) -> None:
        self.plane = plane
        self.log = log
        self.counters = counters
        self.options = options
        self.index = index
        self.workers = workers
        self.row = 0
        self.table_fd = self.bell_fd = -1


class WorkerApp(Protocol):
    """The part of a daemon that serves; it runs in each worker process, on the plane.

    Nothing here may block. An exception is logged and does not end the worker.
    """

    def listen(self, spec: ListenerSpec, sock: socket.socket) -> None:
        """Serve this listening (or UDP) socket; it is non-blocking and now the app's to close.

        The entries that the listener came with have been applied before.
        """

    def unlisten(self, key: str) -> None:
        """Accept what is queued, close that socket, let its connections finish."""

    def apply(self, entries: Mapping[str, Json], changed: Collection[str]) -> None:
        """Swap to the full set `entries`; `changed` names the keys put or dropped since before.

        An endpoint that is down has an entry `down/<host>:<port>`.
        """

    def drain(self) -> None:
        """Accept what is queued, close all listeners, finish; keep-alive ends with its answer."""

    def active(self) -> int:
        """Count the connections that are still to finish."""
