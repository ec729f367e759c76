"""The master: holds the listening sockets, starts and replaces the other processes.

It imports nearly nothing and never touches a connection, so it rarely has to change. What it
decides is in `supervise` (pure), how a generation follows another in `reload`, how it all ends in
`stopping`; here is the loop that calls them.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from podway_proxy.log import Log, Style
from podway_proxy.process import descriptors, handover, notify, privileges
from podway_proxy.process.crew import Crew
from podway_proxy.process.daemon import Daemon
from podway_proxy.process.generation import DRAINING, LOADER, SERVING, STARTING, Child, Generation
from podway_proxy.process.listeners import Listeners
from podway_proxy.process.reload import Reload
from podway_proxy.process.signals import Signals
from podway_proxy.process.spawn import NOT_EXECUTED, call_me, settle
from podway_proxy.process.spec import ListenerSpec
from podway_proxy.process.stopping import Stopping
from podway_proxy.process.supervise import START_ATTEMPTS
from podway_proxy.process.timers import Timers

CANNOT_START: Final = 3
_LONGEST_WAIT_MS: Final = 60_000
GRACE: Final = 2.0
"""Seconds that a process has to end by itself once it should."""
_AFTER_ERROR: Final = 0.1
_BIND_AGAIN: Final = 2.0
"""Seconds between two attempts at a listener that could not be bound while serving."""


class Master:
    """One daemon's processes and sockets. `run` gives the exit code."""

    def __init__(self, crew: Crew, listeners: Listeners, serving_since: float = 0.0) -> None:
        self.crew = crew
        self.log = crew.log
        self.listeners = listeners
        self.timers = Timers()
        self.exit_code: int | None = None
        self.born = time.monotonic()
        self.serving = serving_since > 0
        """The first generation is complete: errors are no longer a reason not to start."""
        self.why_not_ready: str | None = None
        """None: not known yet; empty: ready."""
        self.reload = Reload(self)
        self.stopping = Stopping(self)
        self._signals = Signals()
        self._poll = select.poll()
        self._poll.register(self._signals.fd, select.POLLIN)
        self._polled: dict[int, int] = {}
        self._waits_for_port = False

    def run(self) -> int:
        """Serve until told to stop; give the exit code."""
        while self.exit_code is None:
            try:
                self._turn()
            except Exception as error:
                # A fault of ours. The workers serve on; ending here would cut every connection.
                self.log.unexpected("unexpected error", error)
                time.sleep(_AFTER_ERROR)
        self._signals.ignore()
        return self.exit_code

    def _turn(self) -> None:
        """Wait once, and do what is to be done then."""
        self._watch_channels()
        ready = dict(self._poll.poll(self.timers.wait_ms(_LONGEST_WAIT_MS)))
        self._on_channels(ready)
        if self._signals.fd in ready:
            for number in self._signals.read():
                self._on_signal(number)
        self.timers.run()

    def begin(self) -> None:
        """Start the first generation."""
        self.crew.begin()

    def resume(self) -> None:
        """Go on after an exec: start what died meanwhile, try what was not bound."""
        self._reap()
        for generation in list(self.crew.generations):
            if generation.state != DRAINING:
                self._complete_crew(generation)
        self.reload.resume()
        self.reconcile()

    def fail(self, message: str) -> None:
        """Give up the start: say why, end every process, exit 3."""
        self.log.error("can't start", reason=message)
        self.stopping.kill_all(CANNOT_START)

    def reconcile(self) -> None:
        """Make the listeners what the loaders want, and hand them out."""
        live = [one for one in self.crew.generations if one.state != DRAINING]
        if self.stopping.closed:
            return
        errors = self.listeners.reconcile(one.wanted for one in live)
        if errors and not self.serving:
            self.fail("; ".join(errors))
            return
        for message in errors:
            self.log.error("listener not bound", reason=message, again_in=f"{_BIND_AGAIN:g}s")
        self._bind_again_later()
        for generation in live:
            for child in list(generation.children()):
                self.equip(generation, child)

    def equip(self, generation: Generation, child: Child) -> None:
        """Give a process the listeners it should have, and let it say when it serves them."""
        admin_too = child.ready > 0 or not self.serving
        if generation.state == STARTING and self.serving:
            admin_too = False  # the loader that is known to be good answers until then
        self.listeners.hand_over(generation, child, admin_too)
        if child.role == LOADER:
            child.channel.send(self._status(generation))
        elif generation.version:
            child.channel.send({"op": "sync", "version": generation.version})

    def kill_later(self, child: Child) -> None:
        """Give a process that should end the time to do so, then end it."""

        def kill() -> None:
            if child in self.crew.children():
                os.kill(child.pid, signal.SIGKILL)

        self.timers.after(GRACE, kill)

    def tell_status(self) -> None:
        """Tell the loaders what the admin pages say about the master."""
        for generation in self.crew.generations:
            if generation.loader is not None:
                generation.loader.channel.send(self._status(generation))

    def _status(self, generation: Generation) -> dict[str, Any]:
        return {
            "op": "status",
            "missing": self.listeners.missing,
            "bound": self.listeners.names(),
            "generations": len(self.crew.generations),
            "restarts": self.crew.restarts,
            "stopping": self.stopping.begun,
            "serving": generation.state == SERVING,
        }

    def _bind_again_later(self) -> None:
        if self.listeners.missing and not self._waits_for_port:
            self._waits_for_port = True
            self.timers.after(_BIND_AGAIN, self._bind_again)

    def _bind_again(self) -> None:
        self._waits_for_port = False
        self.reconcile()

    # What the processes say

    def _watch_channels(self) -> None:
        wanted = {
            child.channel.fileno(): select.POLLIN | (select.POLLOUT if child.channel.pending else 0)
            for child in self.crew.children()
            if not child.channel.closed
        }
        for fd in self._polled.keys() - wanted.keys():
            self._poll.unregister(fd)
        for fd, mask in wanted.items():
            if self._polled.get(fd) != mask:
                self._poll.register(fd, mask)
        self._polled = wanted

    def _on_channels(self, ready: dict[int, int]) -> None:
        for child in list(self.crew.children()):
            mask = ready.get(child.channel.fileno(), 0)
            if mask & select.POLLOUT:
                child.channel.flush()
            if mask & ~select.POLLOUT:
                self._hear(child)

    def _hear(self, child: Child) -> None:
        generation = self.crew.generation(child.generation)
        for body, fds in child.channel.receive():
            if generation is not None:
                self._on_message(generation, child, body, fds)
        if child.channel.closed:
            self.kill_later(child)

    def _on_message(
        self, generation: Generation, child: Child, body: dict[str, Any], fds: list[int]
    ) -> None:
        answers: dict[str, Callable[[Generation, Child, dict[str, Any]], None]] = {
            "listeners": self._on_listeners,
            "serving": self._on_serving,
            "readiness": self._on_readiness,
            "cannot-start": self._on_cannot_start,
        }
        if body["op"] == "state":
            self.crew.keep_state(fds[0] if fds else -1)
        else:
            answers[body["op"]](generation, child, body)

    def _on_listeners(self, generation: Generation, child: Child, body: dict[str, Any]) -> None:
        if generation.wanted and not body["loaded"]:
            return  # a loader that replaces another: what that one asked for stays until it knows
        generation.wanted = tuple(ListenerSpec(**spec) for spec in body["specs"])
        generation.version = body["version"]
        child.ready = int(body["loaded"])
        self.reconcile()
        self._perhaps_complete(generation)

    def _on_serving(self, generation: Generation, child: Child, body: dict[str, Any]) -> None:
        child.ready = body["version"]
        self._perhaps_complete(generation)

    def _on_readiness(self, generation: Generation, child: Child, body: dict[str, Any]) -> None:
        why = body["why"]
        if generation.state == DRAINING or why == self.why_not_ready or self.stopping.begun:
            return
        first, self.why_not_ready = self.why_not_ready is None, why
        if why:
            self.log.warn("not ready", reason=why)
            return
        self.log.info("ready", listening=", ".join(self.listeners.names()))
        if first:
            notify.notify("READY=1")

    def _on_cannot_start(self, generation: Generation, child: Child, body: dict[str, Any]) -> None:
        if self.serving:
            self.log.error("loader can't start", reason=body["message"])
        else:
            self.fail(body["message"])

    def _perhaps_complete(self, generation: Generation) -> None:
        if generation.state != STARTING or not generation.complete(self.crew.workers):
            return
        if not self.serving:
            seconds = round(time.monotonic() - self.born, 3)
            self.log.info("serving", workers=self.crew.workers, seconds=seconds)
        self.serving = True
        self.reload.promote(generation)

    # Signals, and the end of a process

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGCHLD:
            self._reap()
        elif number in (signal.SIGTERM, signal.SIGINT):
            self.stopping.asked(number)
        elif self.stopping.begun:
            return
        elif number == signal.SIGHUP:
            self.reload.asked()
        elif number == signal.SIGUSR2:
            handover.prepare(self)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._on_end(pid, os.waitstatus_to_exitcode(status))

    def _on_end(self, pid: int, code: int) -> None:
        if handover.rehearsed(self, pid, code):
            return
        child = next((one for one in self.crew.children() if one.pid == pid), None)
        if child is None:
            return
        generation = self.crew.generation(child.generation)
        self.crew.forget(child)
        self._hear(child)  # its last words
        child.channel.close()
        if self.exit_code is None and generation is not None:
            self._bury(generation, child, code)

    def _bury(self, generation: Generation, child: Child, code: int) -> None:
        if self.stopping.closed or generation.state == DRAINING:
            self.log.debug("ended", process=str(child), pid=child.pid, code=code)
            self.reload.ended(generation)
            self.stopping.ended()
            return
        how = _how(code)
        self.log.error("process ended", process=str(child), pid=child.pid, how=how)
        if generation.state == STARTING and self.serving:
            self.reload.abandon(generation, f"its {child} ended with {how}")
            return
        self._replace(generation, child, how)

    def _replace(self, generation: Generation, child: Child, how: str) -> None:
        delay = generation.died(child)
        if not self.serving and generation.backoff[str(child)].deaths >= START_ATTEMPTS:
            self.fail(f"the {child} ended {START_ATTEMPTS} times, last with {how}; see above")
            return
        self.crew.restarts += 1
        self.timers.after(delay, lambda: self._complete_crew(generation))

    def _complete_crew(self, generation: Generation) -> None:
        """Start what a generation lacks."""
        if self.stopping.closed or generation not in self.crew.generations:
            return
        if generation.loader is None:
            self.crew.start_loader(generation)
        for index in range(self.crew.workers):
            if index not in generation.workers:
                self.equip(generation, self.crew.start_worker(generation, index))
        self.tell_status()


def _how(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    if code == NOT_EXECUTED:
        return f"exit code {code}: {sys.executable} could not be executed"
    return f"exit code {code}"


def start(daemon: Daemon, options: dict[str, Any]) -> int:
    """Be the master of a daemon; give the exit code."""
    style = Style.choose(options["log_format"], options["log_level"])
    log = Log(daemon.name, daemon.instance, "master", style)
    call_me(daemon.name)
    descriptors.raise_limit()
    problem = privileges.give_up(options["user"])
    if problem:
        log.error("can't start", reason=problem)
        return CANNOT_START
    if os.geteuid() == 0 and options["user"] != "root":
        log.warn("runs as root", advice="give --user NAME: no process needs to be root")
    master = Master(Crew(daemon, options, log), Listeners(options["workers"]))
    master.begin()
    return master.run()


def resume() -> None:
    """Be the master again, after an exec (SIGUSR2); never returns."""
    state = handover.take()
    privileges.settle_after_exec()
    crew = Crew.thaw(state["crew"], Style(*state["style"]))
    call_me(crew.daemon.name)
    listeners = Listeners(crew.workers)
    listeners.thaw(state["listeners"])
    master = Master(crew, listeners, serving_since=1.0)
    master.why_not_ready = state["why_not_ready"]
    settle()
    crew.log.info("master re-executed", pid=os.getpid())
    master.resume()
    sys.exit(master.run())
