"""What a loader leaves to the next one: the daemon's last-good objects, and what was down."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import NamedTuple


class Held(NamedTuple):
    """The state that the master keeps for the next loader."""

    app: bytes | None = None
    """The daemon's own: what LoaderApp.state gave."""
    down: Mapping[str, str] = {}
    """What the prober found down, and why, by entry key."""

    def pack(self) -> bytes:
        """Write it: one line of JSON, then the daemon's own bytes."""
        head = {"down": dict(self.down), "app": self.app is not None}
        return json.dumps(head).encode() + b"\n" + (self.app or b"")

    @classmethod
    def unpack(cls, data: bytes) -> Held:
        """Read it."""
        line, _, rest = data.partition(b"\n")
        head = json.loads(line)
        return cls(rest if head["app"] else None, head["down"])


def to_file(data: bytes) -> int:
    """Put bytes into a memory file; give its descriptor."""
    fd = os.memfd_create("podway-state")
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    return fd


def from_file(fd: int) -> bytes:
    """Read a memory file from its start, and close our descriptor."""
    with open(fd, "rb") as file:
        return os.pread(file.fileno(), os.fstat(fd).st_size, 0)
