"""Signals as bytes in a pipe: the master's loop reads them where it reads everything else."""

from __future__ import annotations

import os
import signal
from typing import Final

HANDLED: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR2,
    signal.SIGCHLD,
)
IGNORED_BY_CHILDREN: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)
"""A terminal and systemd signal the whole group; how children end is the master's to say."""


class Signals:
    """A pipe into which Python writes the number of each signal."""

    __slots__ = ("_write", "fd")

    def __init__(self) -> None:
        self.fd, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in HANDLED:
            signal.signal(number, _noted)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        release()

    def read(self) -> list[int]:
        """Give the signals since the last call, in order."""
        try:
            return list(os.read(self.fd, 4096))
        except BlockingIOError:
            return []

    @staticmethod
    def ignore() -> None:
        """Let no late signal change how this process, which is about to exit, ends."""
        for number in HANDLED:
            signal.signal(number, signal.SIG_IGN)


def hold() -> None:
    """Keep signals pending until `release` or, over an exec, until the next `Signals()`.

    Over a fork too: the child would write its own into our pipe.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)


def release() -> None:
    """Deliver them again."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)


def reset_in_child() -> None:
    """Between fork and exec: only SIGKILL and the master's channel end a child."""
    signal.set_wakeup_fd(-1)
    for number in IGNORED_BY_CHILDREN:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _noted(number: int, frame: object) -> None:
    """Do nothing: the pipe holds the number already."""
