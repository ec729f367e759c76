"""Wakes the other workers of a daemon: one eventfd that all of them have."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from podway_proxy.plane.plane import Plane


class Bell:
    """Each ring is an edge for every worker that listens; nobody has to read it."""

    __slots__ = ("_fd", "_listening", "_on_ring", "_plane")

    def __init__(self, plane: Plane, fd: int, on_ring: Callable[[], None]) -> None:
        """Take the descriptor of `create()`; -1: there is nobody else."""
        self._plane = plane
        self._fd = fd
        self._on_ring = on_ring
        self._listening = False

    def listen(self) -> None:
        """Call `on_ring()` at each ring from now on."""
        from podway_proxy.plane.plane import READING  # here: the master needs `create` alone

        if self._fd >= 0 and not self._listening:
            self._listening = True
            self._plane.watch(self._fd, lambda _: self._on_ring(), READING)

    def rest(self) -> None:
        """Hear no more rings."""
        if self._listening:
            self._listening = False
            self._plane.unwatch(self._fd)

    def ring(self) -> None:
        """Wake all who listen."""
        if self._fd >= 0:
            os.eventfd_write(self._fd, 1)


def create() -> int:
    """Make the bell of a daemon; give its descriptor."""
    return os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
