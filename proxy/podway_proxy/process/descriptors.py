"""How many descriptors a process may have, and for how many clients they are enough."""

from __future__ import annotations

import contextlib
import resource
from typing import Final

RESERVED: Final = 192
"""Kept for what is no client's connection: sockets, logs, the loop, two ends of 48 pipes."""
PER_CLIENT: Final = 2
"""A client's own connection and the one to its endpoint."""


def raise_limit() -> None:
    """Raise the soft limit to the hard one; children inherit it.

    The usual 1024 is there for programs that use select(2); a proxy is to be stopped by its
    maxConnections.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it: then less it is
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def clients_within(limit: int) -> int:
    """Give how many clients a process with so many descriptors can serve; at least one."""
    return max(1, (limit - min(RESERVED, limit // 2)) // PER_CLIENT)


def limit() -> int:
    """Give how many descriptors this process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
