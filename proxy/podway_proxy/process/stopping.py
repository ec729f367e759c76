"""How a daemon ends: not ready, wait, drain, exit."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Final

from podway_proxy.process import notify
from podway_proxy.process.generation import STARTING, WORKER

if TYPE_CHECKING:
    from podway_proxy.process.master import Master

_GRACE: Final = 2.0
"""Seconds that a process has to end by itself once its time is up."""
_SAME_SIGNAL: Final = 0.5
"""Signals this close together are one request: timeout(1), a terminal and whoever started us
signal both the process and its group."""


class Stopping:
    """The steps from SIGTERM to exit; a second signal skips the rest."""

    __slots__ = ("_asked_at", "_master", "begun", "closed")

    def __init__(self, master: Master) -> None:
        self._master = master
        self._asked_at = 0.0
        self.begun = False
        """Asked to stop: not ready, but still accepting."""
        self.closed = False
        """No longer accepting: nothing is replaced any more."""

    def asked(self, number: int) -> None:
        """Begin to stop, or stop at once when asked a second time."""
        master = self._master
        now = time.monotonic()
        if self.begun and now - self._asked_at < _SAME_SIGNAL:
            return
        self._asked_at = now
        if self.begun or not master.serving:
            master.log.warn("stops at once", signal=signal.Signals(number).name)
            self.kill_all(0)
            return
        self.begun = True
        notify.notify("STOPPING=1")
        wait = 0.0 if number == signal.SIGINT and _on_terminal() else self._option("drain_wait")
        master.log.info("stops", signal=signal.Signals(number).name, drain_wait=f"{wait:g}s")
        for generation in list(master.crew.generations):
            if generation.state == STARTING:
                master.reload.abandon(generation, "the daemon stops")
        master.tell_status()
        master.timers.after(wait, self._drain)

    def ended(self) -> None:
        """Note the end of a process: exit after the last worker, then the loader."""
        if not self.closed or self._workers_left():
            return
        for child in self._master.crew.children():
            child.channel.send({"op": "quit"})
            self._master.kill_later(child)
        if not any(self._master.crew.children()):
            self._exit()

    def kill_all(self, code: int) -> None:
        """End every process at once."""
        for child in list(self._master.crew.children()):
            os.kill(child.pid, signal.SIGKILL)
        for child in list(self._master.crew.children()):
            os.waitpid(child.pid, 0)
        self._master.exit_code = code

    def _drain(self) -> None:
        master = self._master
        timeout = self._option("drain_timeout")
        self.closed = True
        master.listeners.close_serving()  # ours first: the workers' close is then the last
        for child in master.crew.children():
            if child.role == WORKER:
                child.channel.send({"op": "drain", "timeout": timeout, "why": "stop"})
        master.timers.after(timeout + _GRACE, self._late)
        self.ended()

    def _late(self) -> None:
        left = sum(1 for _ in self._master.crew.children())
        self._master.log.warn("drain took too long", processes=left)
        self.kill_all(0)

    def _exit(self) -> None:
        self._master.log.info("stopped")
        self._master.exit_code = 0

    def _workers_left(self) -> bool:
        return any(child.role == WORKER for child in self._master.crew.children())

    def _option(self, name: str) -> float:
        return float(self._master.crew.options[name])


def _on_terminal() -> bool:
    return os.isatty(0)
