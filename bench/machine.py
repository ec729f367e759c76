"""The machine: who the proxies run as, on which processor, how many descriptors there are."""

from __future__ import annotations

import os
import platform
import pwd
import resource
import socket
from pathlib import Path
from typing import NamedTuple

UNPRIVILEGED = "nobody"
SPARE_FDS = 1_500
"""Descriptors that a proxy needs besides two per connection (pipes, listeners, its own)."""


class Processors(NamedTuple):
    """Which processors work for whom, as `taskset -c` takes them."""

    proxy: str
    load: frozenset[int]


def processors() -> Processors:
    """Give the proxy the first processor and the load all others; with one they share it."""
    first, *others = sorted(os.sched_getaffinity(0))
    return Processors(str(first), frozenset(others or (first,)))


def user() -> str:
    """Give the user that every proxy runs as: nobody where we may choose, else empty (our own)."""
    if os.geteuid() != 0:
        return ""
    try:
        return pwd.getpwnam(UNPRIVILEGED).pw_name
    except KeyError:
        return ""


def most_connections() -> int:
    """Raise the limit of descriptors as far as we may; how many connections a proxy can relay."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return (hard - SPARE_FDS) // 2


def free_port() -> int:
    """Give a port where nobody listens at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def describe() -> dict[str, str]:
    """Give what a reader of the figures wants to know about the machine."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "user": user() or pwd.getpwuid(os.geteuid()).pw_name,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
