"""The loader process: objects in, entries out; health checks and the admin port."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import uvloop

from podway_proxy.counters import Counters
from podway_proxy.process import child, held
from podway_proxy.process.channel import Channel, Message
from podway_proxy.process.daemon import CannotStart, LoaderApp
from podway_proxy.process.feed import Current, Encoder, Feed
from podway_proxy.process.held import Held
from podway_proxy.process.link import Link
from podway_proxy.process.metrics import Gauge, process_gauges, render
from podway_proxy.process.prober import Prober
from podway_proxy.process.problems import report
from podway_proxy.process.readiness import Status, notes, why_not
from podway_proxy.process.spawn import settle
from podway_proxy.process.spec import Compiled, Json, ListenerSpec

if TYPE_CHECKING:
    from podway_proxy.process.admin import Admin

_EPOCH_BITS: Final = 32
"""A loader's versions begin above all of the loader before."""
_UNREADY_AFTER: Final = 0.5
"""Seconds that a lack must last before the log calls the daemon not ready: a killed worker is
replaced in less."""


class Loader:
    """One daemon's loader: what was loaded last, and who must know of it."""

    def __init__(self, welcome: child.Welcome, app: LoaderApp[Any], before: Held) -> None:
        self._welcome = welcome
        self._log = welcome.log
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._compiled: Compiled | None = None
        self._loaded_at = 0.0
        self._current = Current(welcome.body["epoch"] << _EPOCH_BITS, {})
        self._status = Status()
        self._feeds: dict[int, Feed] = {}
        self._encoder = Encoder()
        self._held = before
        self._told_ready: str | None = None
        self._counters = Counters(welcome.fds[0])
        self._prober = prober = Prober(self._log, self._publish, before.down)
        if hasattr(app, "count_with"):  # what a daemon counts per object is its own affair
            app.count_with(self._counters, lambda: prober.down)
        self._admin: Admin | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._master = Link(self._loop, welcome.channel, self._from_master, self._orphaned)

    async def run(self) -> None:
        """Load, follow changes and serve the admin port until told to end."""
        admin = self._own_listeners()
        if admin:
            self._ask_for(admin, loaded=False)
        for message in self._welcome.rest:
            self._from_master(message)
        self._start(self._follow(), "follow the objects")
        await self._ended
        if self._admin is not None:
            self._admin.close()
        self._prober.close()

    def _start(self, work: Any, name: str) -> None:
        """Own a task; the first that fails ends the loader, and the master replaces it."""
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() and not self._ended.done():
            self._ended.set_exception(task.exception() or RuntimeError(task.get_name()))

    # Loading

    async def _follow(self) -> None:
        async for snapshot in self._app.snapshots():
            compiled = self._compile(snapshot)
            if compiled is not None:
                self._take(compiled)

    def _compile(self, snapshot: Any) -> Compiled | None:
        """Compile a snapshot; one that fails leaves the last one in place."""
        try:
            return self._app.compile(snapshot)
        except CannotStart as error:
            if self._compiled is None:
                report(self._log, (), error.problems)
                raise
            self._log.unexpected("snapshot not taken", error)
        except Exception as error:
            if self._compiled is None:
                raise
            self._log.unexpected("snapshot not taken", error)
        return None

    def _take(self, compiled: Compiled) -> None:
        before, self._compiled = self._compiled, compiled
        self._loaded_at = time.time()
        report(self._log, before.problems if before is not None else (), compiled.problems)
        if before is None or before.probes is not compiled.probes:  # many: not compared
            self._prober.follow(compiled.probes)
        self._publish()
        if before is None or before.listeners != compiled.listeners:
            self._ask_for((*self._own_listeners(), *compiled.listeners), loaded=True)
        self._tell_readiness()
        if before is None:
            settle()

    def _publish(self) -> None:
        """Make the entries current and offer them to every worker."""
        if self._compiled is None:
            return
        entries: dict[str, Json] = {**self._compiled.entries, **self._prober.down}
        if entries != self._current.entries or not self._current.entries:
            self._current = Current(self._current.version + 1, entries)
        for feed in self._feeds.values():
            feed.offer(self._current)
        self._keep_state()

    def _keep_state(self) -> None:
        now = Held(self._app.state(), dict(self._prober.down))
        if now != self._held:
            self._held = now
            fd = held.to_file(now.pack())
            self._master.send({"op": "state"}, [fd])
            os.close(fd)

    def _ask_for(self, specs: tuple[ListenerSpec, ...], *, loaded: bool) -> None:
        body = {"op": "listeners", "version": self._current.version, "loaded": loaded}
        self._master.send(body | {"specs": [spec._asdict() for spec in specs]})

    def _own_listeners(self) -> tuple[ListenerSpec, ...]:
        where = self._welcome.body["options"]["admin"]
        if not where:
            return ()
        host, port = where
        return (ListenerSpec(f"admin {host}:{port}", host, port, admin=True, why="--admin"),)

    # Master and workers

    def _from_master(self, message: Message) -> None:
        body, fds = message
        answers: dict[str, Callable[[dict[str, Any], list[int]], None]] = {
            "worker": self._on_worker,
            "listen": self._on_listen,
            "unlisten": self._on_unlisten,
            "status": self._on_status,
            "quit": lambda _, __: self._end(),
        }
        answers[body["op"]](body, fds)

    def _on_worker(self, body: dict[str, Any], fds: list[int]) -> None:
        feed = Feed(body["index"], body["pid"], self._encoder)
        channel = Channel(socket.socket(fileno=fds[0]))
        gone = partial(self._worker_gone, feed)
        old = self._feeds.pop(feed.index, None)
        if old is not None:
            old.close()
        feed.connect(lambda on_message: Link(self._loop, channel, on_message, gone))
        self._feeds[feed.index] = feed
        if self._compiled is not None:
            feed.offer(self._current)

    def _worker_gone(self, feed: Feed) -> None:
        if self._feeds.get(feed.index) is feed:
            del self._feeds[feed.index]
            self._tell_readiness()

    def _on_listen(self, body: dict[str, Any], fds: list[int]) -> None:
        if self._admin is None:
            self._admin = self._make_admin()
        sock = socket.socket(fileno=fds[0])
        self._start(self._admin.listen(body["spec"]["key"], sock), "serve the admin port")

    def _on_unlisten(self, body: dict[str, Any], _: list[int]) -> None:
        if self._admin is not None:
            self._admin.unlisten(body["key"])

    def _make_admin(self) -> Admin:
        # Here, not above: h11 takes a tenth of the loader's start, and the objects come first.
        from podway_proxy.process.admin import Admin
        from podway_proxy.process.pages import Pages

        pages = Pages(self._why_not, lambda: notes(self._status), self._metrics, self._debug())
        return Admin(self._log, pages)

    def _on_status(self, body: dict[str, Any], _: list[int]) -> None:
        values = {name: value for name, value in body.items() if name != "op"}
        self._status = Status(**values)
        self._tell_readiness()

    def _orphaned(self) -> None:
        self._log.error("the master is gone")
        self._end()

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    # Readiness, metrics, debug

    def _why_not(self) -> str:
        return why_not(self._compiled, self._status, len(self._feeds))

    def _tell_readiness(self) -> None:
        """Let the master log a change: readiness at once, a lack only if it lasts."""
        if self._compiled is None or not self._status.serving:
            return
        why = self._why_not()
        if why == self._told_ready:
            return
        if why and self._told_ready is not None:
            self._loop.call_later(_UNREADY_AFTER, self._tell_unready)
        else:
            self._tell(why)

    def _tell_unready(self) -> None:
        if self._why_not() != self._told_ready:
            self._tell(self._why_not())

    def _tell(self, why: str) -> None:
        self._told_ready = why
        self._master.send({"op": "readiness", "why": why})

    def _metrics(self) -> bytes:
        prefix = self._welcome.daemon.name.replace("-", "_")
        own = render(prefix, self._counters.totals(), list(self._gauges()))
        # What a daemon gives under names of others' (existing dashboards') is its own affair, too.
        foreign = list(getattr(self._app, "foreign_gauges", tuple)())
        return own + render("", {}, foreign) if foreign else own

    def _gauges(self) -> Iterator[Gauge]:
        compiled = self._compiled
        yield Gauge("ready", float(not self._why_not()), "1: /healthz/ready answers 200.")
        yield Gauge("workers", len(self._feeds), "Workers of the serving generation.")
        yield Gauge("generations", self._status.generations, "Generations alive, draining too.")
        yield Gauge("restarts_total", self._status.restarts, "Processes replaced after a death.")
        yield Gauge("listeners_missing", len(self._status.missing), "Listeners not bound.")
        yield Gauge("entries", len(self._current.entries), "Entries that the workers hold.")
        yield Gauge("endpoints_down", len(self._prober.down), "Endpoints that fail their checks.")
        yield Gauge("problems", len(compiled.problems) if compiled else 0, "Bad objects.")
        yield Gauge("loaded_timestamp_seconds", self._loaded_at, "When objects were last taken.")
        pids = {f"worker {feed.index}": feed.pid for feed in self._feeds.values()}
        # What a daemon measures itself is its own affair: most have nothing.
        yield from getattr(self._app, "gauges", tuple)()
        yield from process_gauges({"master": os.getppid(), "loader": os.getpid(), **pids})

    def _debug(self) -> dict[str, Callable[[], Json]]:
        own: dict[str, Callable[[], Json]] = {
            "entries": lambda: dict(self._current.entries),
            "down": lambda: dict(self._prober.down),
            "listeners": lambda: {"bound": self._status.bound, "missing": self._status.missing},
            "problems": lambda: list(self._compiled.problems) if self._compiled else [],
        }
        return {**own, **self._app.debug()}


async def _run(welcome: child.Welcome) -> int:
    child.watch_errors(asyncio.get_running_loop(), welcome.log)
    fds = welcome.fds
    before = Held.unpack(held.from_file(fds[1])) if len(fds) > 1 else Held()
    try:
        module = importlib.import_module(welcome.daemon.loader)
        app: LoaderApp[Any] = module.build(welcome.body["options"], before.app)
        await Loader(welcome, app, before).run()
    except CannotStart as error:
        welcome.channel.send({"op": "cannot-start", "message": str(error)})
        return child.FAILED
    return 0


def main() -> None:
    """Run the loader; the master's channel is the first argument."""
    welcome = child.begin()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    code = child.FAILED
    try:
        code = loop.run_until_complete(_run(welcome))
    except Exception as error:
        welcome.log.unexpected("unexpected error", error)
    os._exit(code)  # not by returning: watcher threads of the daemon's own may still wait
