"""Starts the lab's processes so that none outlives it, and stops them within a deadline.

Each child leads a session of its own: Ctrl-C on the terminal reaches `podway up` alone, which then
stops the others in order. If `podway up` is killed outright, the kernel sends each child SIGTERM.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from typing import IO, NamedTuple

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Command(NamedTuple):
    """A process of the lab: what it is called on the screen, and how it is started."""

    name: str
    arguments: Sequence[str]
    stdin: str = ""


class Child:
    """A started process; its output (both streams) comes out of `output`."""

    def __init__(self, command: Command, process: subprocess.Popen[bytes]) -> None:
        self.name = command.name
        self.process = process
        assert process.stdout is not None  # noqa: S101 - start() asked for the pipe
        self.output: IO[bytes] = process.stdout
        self.exit_code: int | None = None

    def poll(self) -> int | None:
        """Give the exit code once the process has ended (negative: the signal that ended it)."""
        self.exit_code = self.process.poll()
        return self.exit_code

    def signal(self, number: int) -> None:
        """Signal the process; nothing happens if it has ended."""
        if self.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the process and everything that it started in its session."""
        with contextlib.suppress(ProcessLookupError):  # ended meanwhile
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.poll()


def start(command: Command) -> Child:
    """Start a process that is told to stop when this one dies. Raises OSError if it can't be."""
    parent = os.getpid()
    process = subprocess.Popen(  # noqa: S603 - our own programs, and no shell
        command.arguments,
        stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # This process has a single thread, so that code may run between fork and exec.
        preexec_fn=lambda: die_with(parent),
    )
    if command.stdin and process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):  # it ended at once; its exit code is reported
            process.stdin.write(command.stdin.encode())
            process.stdin.close()
    os.set_blocking(process.stdout.fileno(), False) if process.stdout else None
    return Child(command, process)


def die_with(parent: int) -> None:
    """Have the kernel send this process SIGTERM when its parent dies; called in the child."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def stop(
    children: Iterable[Child],
    seconds: float,
    meanwhile: Callable[[float], bool],
) -> list[str]:
    """Stop all: SIGTERM, then SIGKILL to what is left after `seconds`; give the killed ones' names.

    `meanwhile(timeout)` is called over and over to pass on what they say; when it gives False
    (the user is out of patience), the rest is killed at once.
    """
    running = [child for child in children if child.poll() is None]
    for child in running:
        child.signal(signal.SIGTERM)
    end = time.monotonic() + seconds
    while running and time.monotonic() < end and meanwhile(0.05):
        running = [child for child in running if child.poll() is None]
    for child in running:
        child.kill()
    return [child.name for child in running]
