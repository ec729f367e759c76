"""Pipes for splice: a small pool, because the kernel grants an unprivileged user only 64 MiB."""

from __future__ import annotations

import fcntl
import os
import time
from typing import NamedTuple, Protocol

PATIENCE = 5.0
"""Seconds until the kernel is asked again after it refused a pipe of full size."""


class Pipe(NamedTuple):
    """The two descriptors of a pipe, non-blocking."""

    reader: int
    writer: int

    def close(self) -> None:
        """Close both ends; what is inside is lost."""
        os.close(self.reader)
        os.close(self.writer)


class Holder(Protocol):
    """Who holds an empty pipe and may be asked to give it up."""

    def surrender(self) -> Pipe:
        """Let go of the empty pipe."""


class PipePool:
    """At most `cap` pipes of `size` bytes, made when first needed, used again when empty.

    A flow that waits for bytes rests on its empty pipe: it keeps it until another one needs it.
    """

    __slots__ = ("_cap", "_free", "_refused_at", "_resting", "_size", "made")

    def __init__(self, cap: int, size: int) -> None:
        self._cap = cap
        self._size = size
        self._free: list[Pipe] = []
        self._resting: dict[Holder, None] = {}
        self._refused_at = -PATIENCE
        self.made = 0
        """How many pipes exist."""

    def take(self) -> Pipe | None:
        """Give an empty pipe of full size, or None: then copy through user space."""
        if self._free:
            return self._free.pop()
        if self.made < self._cap and time.monotonic() - self._refused_at >= PATIENCE:
            pipe = self._make()
            if pipe is not None:
                return pipe
        if self._resting:
            holder = next(iter(self._resting))
            del self._resting[holder]
            return holder.surrender()
        return None

    def give(self, pipe: Pipe) -> None:
        """Take back a pipe that is empty."""
        self._free.append(pipe)

    def discard(self, pipe: Pipe) -> None:
        """Take back a pipe that still holds bytes: nobody may read them, so it is closed."""
        pipe.close()
        self.made -= 1

    def rest(self, holder: Holder) -> None:
        """Note that `holder` waits with an empty pipe; another may be given it."""
        self._resting[holder] = None

    def rouse(self, holder: Holder) -> None:
        """Note that `holder` uses its pipe again, or gave it back."""
        self._resting.pop(holder, None)

    def _make(self) -> Pipe | None:
        """Make a pipe of full size; None if the kernel has no descriptor or no pages for it.

        Beyond fs.pipe-user-pages-soft it hands an unprivileged user pipes of 8 KiB and answers
        F_SETPIPE_SZ with EPERM (pipe(7)).
        """
        try:
            pipe = Pipe(*os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError:
            self._refused_at = time.monotonic()
            return None
        try:
            fcntl.fcntl(pipe.writer, fcntl.F_SETPIPE_SZ, self._size)
        except OSError:
            self._refused_at = time.monotonic()
            pipe.close()
            return None
        self.made += 1
        return pipe
