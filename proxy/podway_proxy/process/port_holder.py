"""Who has a port: the process that listens there, as far as /proc tells us."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

_LISTEN = "0A"
"""TCP_LISTEN in /proc/net/tcp (include/net/tcp_states.h)."""


def holder(host: str, port: int, transport: str) -> str:
    """Name the process on an address: `nginx (pid 812)`; empty when /proc does not tell.

    Processes of other users show their sockets to root only.
    """
    inodes = {
        inode
        for table in (transport, transport + "6")
        for inode in listening(_text(f"/proc/net/{table}"), host, port, transport)
    }
    for pid in _pids():
        if inodes and inodes & set(_socket_inodes(pid)):
            return f"{_name(pid)} (pid {pid})"
    return ""


def listening(table: str, host: str, port: int, transport: str) -> Iterator[str]:
    """Give the inodes of sockets in a /proc/net table that hold `host:port`."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        where, _, hexport = fields[1].partition(":")
        if int(hexport, 16) != port or (transport == "tcp" and fields[3] != _LISTEN):
            continue
        if _overlap(decode(where), host):
            yield fields[9]


def decode(text: str) -> str:
    """Read an address of /proc/net: 32-bit words in the machine's byte order."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words))


def _overlap(bound: str, wanted: str) -> bool:
    """Tell whether two addresses exclude each other on one port."""
    every = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound
    return bound == wanted or bound in every or wanted in every


def _pids() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _socket_inodes(pid: str) -> Iterator[str]:
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # closed in between
                link = os.readlink(f"/proc/{pid}/fd/{fd}")
                if link.startswith("socket:["):
                    yield link[8:-1]


def _name(pid: str) -> str:
    name = _text(f"/proc/{pid}/comm").strip() or "a process"
    if not name.startswith("python"):
        return name
    words = _text(f"/proc/{pid}/cmdline").split("\0")[1:]
    scripts = [word for word in words if word and not word.startswith("-")]
    return os.path.basename(scripts[0]) if scripts and len(scripts[0]) < 100 else name


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""  # no such table (IPv6 is off), or the process has ended
