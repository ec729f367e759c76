"""The worker process: the plane, the daemon's own part of it, and a replica of the entries."""

from __future__ import annotations

import importlib
import os
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import uvloop

from podway_proxy.counters import Counters
from podway_proxy.limits import DEFAULT
from podway_proxy.plane.plane import Plane
from podway_proxy.process import child
from podway_proxy.process.changes import Replica
from podway_proxy.process.channel import Channel, Message
from podway_proxy.process.daemon import WorkerApp, WorkerLink
from podway_proxy.process.link import Link
from podway_proxy.process.spawn import settle
from podway_proxy.process.spec import ListenerSpec

_LATER: Final = 2.0
"""Seconds after its first entries in which a worker imports what it may need: behind the first
answers, and before descriptors can be so few that an import fails."""
_LOOK: Final = 0.1
"""Seconds between two looks at whether a draining worker has finished."""


class Worker:
    """Carries out what master and loader say, in an order that never serves without entries."""

    def __init__(self, welcome: child.Welcome) -> None:
        self._loop = uvloop.new_event_loop()
        self._log = welcome.log
        child.watch_errors(self._loop, self._log)
        self._replica = Replica()
        self._waiting: deque[Message] = deque()
        self._loader: Link | None = None
        self._app = self._build(welcome)
        self._draining = False
        self._frozen = False
        self._master = Link(self._loop, welcome.channel, self._from_master, self._orphaned)
        for message in welcome.rest:
            self._from_master(message)

    def run(self) -> None:
        """Serve until drained or told to end."""
        self._loop.run_forever()

    def _build(self, welcome: child.Welcome) -> WorkerApp:
        body = welcome.body
        module = importlib.import_module(welcome.daemon.worker)
        counters = Counters(welcome.fds[0], body["row"], module.COUNTERS)
        plane = Plane(DEFAULT, counters, DEFAULT.pipes_per_daemon // body["workers"])
        plane.attach(self._loop)
        link = WorkerLink(
            plane, self._log, counters, body["options"], body["index"], body["workers"]
        )
        link.row = body["row"]
        if len(welcome.fds) > 2:  # a master of an older age of the code gives none
            link.table_fd, link.bell_fd = welcome.fds[1:3]
        self._later: tuple[str, ...] = getattr(module, "LATER", ())
        app: WorkerApp = module.build(link)
        return app

    # From the master

    def _from_master(self, message: Message) -> None:
        """Do it, behind whatever still waits for its entries."""
        if message.body["op"] in ("loader", "drain", "quit"):
            self._now(message)
        else:
            self._waiting.append(message)
            self._catch_up()

    def _now(self, message: Message) -> None:
        body, fds = message
        if body["op"] == "loader":
            self._follow(fds[0])
        elif body["op"] == "drain":
            self._drain(body["timeout"], body["why"])
        else:
            self._log.warn("ended", connections=self._app.active())
            self._loop.stop()

    def _catch_up(self) -> None:
        while self._waiting and self._waiting[0].body.get("version", 0) <= self._replica.version:
            body, fds = self._waiting.popleft()
            self._try(body["op"], partial(self._serve, body, fds))

    def _serve(self, body: dict[str, Any], fds: list[int]) -> None:
        if body["op"] == "listen":
            spec = ListenerSpec(**body["spec"])
            self._app.listen(spec, socket.socket(fileno=fds[0]))
        elif body["op"] == "unlisten":
            self._app.unlisten(body["key"])
        elif body["op"] == "sync":
            self._master.send({"op": "serving", "version": body["version"]})

    def _drain(self, timeout: float, why: str) -> None:
        self._catch_up()
        for message in self._waiting:
            for fd in message.fds:
                os.close(fd)
        self._waiting.clear()
        self._draining = True
        self._try("drain", self._app.drain)
        self._log.debug("draining", why=why, connections=self._app.active())
        self._look_again(self._loop.time() + timeout)

    def _look_again(self, until: float) -> None:
        left = self._app.active()
        if left and self._loop.time() < until:
            self._loop.call_later(_LOOK, self._look_again, until)
            return
        if left:
            self._log.warn("drain time is over", connections=left)
        self._loop.stop()

    def _orphaned(self) -> None:
        self._log.error("the master is gone", connections=self._app.active())
        self._loop.stop()

    # From the loader

    def _follow(self, fd: int) -> None:
        if self._loader is not None:
            self._loader.close()
        channel = Channel(socket.socket(fileno=fd))
        self._loader = Link(self._loop, channel, self._from_loader, self._loader_gone)
        self._loader.send({"op": "hello", "version": self._replica.version})

    def _loader_gone(self) -> None:
        self._loader = None  # the entries stay as they are until the master links the next one

    def _from_loader(self, message: Message) -> None:
        changed = self._replica.take(message.body)
        if changed or not self._frozen:
            self._try("apply", lambda: self._app.apply(self._replica.entries, changed))
        if not self._frozen:
            self._frozen = True
            settle()
            self._loop.call_later(_LATER, self._import_later)
        if self._loader is not None:
            self._loader.send({"op": "applied", "version": self._replica.version})
        if not self._draining:
            self._catch_up()

    def _import_later(self) -> None:
        for name in self._later:
            self._try("an import", partial(_import, name))

    def _try(self, what: str, call: Callable[[], None]) -> None:
        """Call into the daemon's own code: its error is logged and ends nothing else."""
        try:
            call()
        except Exception as error:
            self._log.unexpected(f"{what} failed", error)


def _import(name: str) -> None:
    importlib.import_module(name)


def main() -> None:
    """Run a worker; the master's channel is the first argument."""
    welcome = child.begin()
    code = child.FAILED
    try:
        Worker(welcome).run()
        code = 0
    except Exception as error:
        welcome.log.unexpected("unexpected error", error)
    os._exit(code)  # that closes every socket; tearing the interpreter down takes longer
