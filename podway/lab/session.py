"""A running lab: passes on what its processes say until it is told to stop, then stops them."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from podway.lab.children import Child, Command, start, stop
from podway.lab.screen import Screen

STOP_SECONDS = 5.0
"""What is still there then is killed. The daemons' own drain is 1 s (`plan.DRAIN`)."""
_READ = 65_536
_READS_AT_END = 256

CLEAN = 0
FAILED = 1
"""A process ended by itself, or had to be killed."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Session:
    """The children and the one loop that watches them."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._selector = selectors.DefaultSelector()
        self._children: list[Child] = []
        self._told = 0  # how often the user asked to stop
        self._wake, self._woken = socket.socketpair()
        for each in (self._wake, self._woken):
            each.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._on_wake)
        self._posted: deque[Callable[[], None]] = deque()
        self._handlers: dict[int, Any] = {}
        self._trap()

    def launch(self, commands: Sequence[Command]) -> None:
        """Start every process. Raises OSError when one can't be started."""
        for command in commands:
            child = start(command)
            self._children.append(child)
            self._selector.register(child.output, selectors.EVENT_READ, child)

    def post(self, action: Callable[[], None]) -> None:
        """Have `action` called in the loop; may be called from any thread."""
        self._posted.append(action)
        with contextlib.suppress(OSError):  # closed: the loop has ended
            self._wake.send(b"\0")

    def run(self) -> int:
        """Pass on what happens until told to stop or until a process ends; give the exit code."""
        ended: Child | None = None
        while not self._told and ended is None:
            self._turn(None)  # SIGCHLD ends the wait too
            ended = next((child for child in self._children if child.poll() is not None), None)
        if ended is None:
            self._screen.say(self._screen.paint("dim", "stopping ..."))
            self._screen.release(everything=False)
            self._screen.hush()
        else:
            self._screen.release(everything=True)
            self._read_out(ended)
            self._screen.say(self._screen.paint("bad", f"{ended.name} ended {_how(ended)}"))
        return self._finish(failed=ended is not None)

    def close(self) -> None:
        """Kill what still runs (after a failed launch) and give everything back."""
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.output.close()
        self._untrap()
        self._selector.close()
        self._wake.close()
        self._woken.close()

    def _finish(self, *, failed: bool) -> int:
        asked = self._told
        begun = time.monotonic()
        killed = stop(self._children, STOP_SECONDS, lambda wait: self._turn(wait, asked))
        for child in self._children:
            self._read_out(child)
        if killed:
            names = ", ".join(killed)
            self._screen.say(self._screen.paint("bad", f"killed, for it did not stop: {names}"))
        else:
            took = time.monotonic() - begun
            self._screen.say(self._screen.paint("dim", f"all stopped after {took:.1f} s"))
        return FAILED if failed or killed else CLEAN

    def _turn(self, wait: float | None, asked: int = 0) -> bool:
        """Handle what is there; False when the user asked to stop once more."""
        for key, _ in self._selector.select(wait):
            if isinstance(key.data, Child):
                self._read(key.data)
            else:
                key.data()
        return self._told == asked

    def _read(self, child: Child) -> bool:
        """Pass on one read; False when there is no more."""
        try:
            data = os.read(child.output.fileno(), _READ)
        except BlockingIOError:
            return False
        self._screen.pass_on(child.name, data, end=not data)
        if not data:
            self._selector.unregister(child.output)
            child.output.close()
        return bool(data)

    def _read_out(self, child: Child) -> None:
        """Pass on what an ended child left in its pipe."""
        for _ in range(_READS_AT_END):
            if child.output.closed or not self._read(child):
                return

    def _on_wake(self) -> None:
        self._told += sum(number in _SIGNALS for number in self._woken.recv(4096))
        while self._posted:
            self._posted.popleft()()

    def _trap(self) -> None:
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (*_SIGNALS, signal.SIGCHLD):
            # The number arrives through the wake-up descriptor; the handler has nothing to do.
            self._handlers[number] = signal.signal(number, lambda *_: None)

    def _untrap(self) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


def _how(child: Child) -> str:
    code = child.exit_code or 0
    if code < 0:
        return f"by signal {signal.Signals(-code).name}"
    return f"with exit code {code}"
