"""Which ports the lab may have: the well-known ones where they can be bound, else high ones."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple

HTTP = (80, 8080)
HTTPS = (443, 8443)
DNS = (53, 5353)


Address = tuple[str, int]


class Ports(NamedTuple):
    """The ports that clients of the lab use."""

    http: int
    https: int
    dns: int


class Wanted(NamedTuple):
    """One port of the lab: where it must be free, and what to try."""

    hosts: Sequence[str]
    candidates: Sequence[int]
    udp: bool = False


class TakenError(Exception):
    """No candidate can be had; the message says why and what to do."""


def choose(wanted: Wanted) -> tuple[int, str]:
    """Give the first candidate that can be bound on every host, and why not an earlier one.

    A port that is another's is passed over like one that needs privileges. Raises `TakenError`
    when none is left.
    """
    reasons: list[str] = []
    for port in wanted.candidates:
        reason = next(filter(None, (refusal(h, port, udp=wanted.udp) for h in wanted.hosts)), "")
        if not reason:
            return port, "; ".join(reasons)
        reasons.append(reason)
    raise TakenError("; ".join(reasons))


def refusal(host: str, port: int, *, udp: bool = False) -> str:
    """Say why `host:port` can't be bound, or an empty string when it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM) if udp else (socket.SOCK_STREAM,)
    for kind in kinds:
        with socket.socket(family, kind) as sock:
            if kind == socket.SOCK_STREAM:  # only sockets in TIME_WAIT are passed over by this
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, port))
            except OSError as error:
                return f"{host}:{port} {_why(error)}"
    return ""


def first_taken(addresses: Iterable[Address]) -> str:
    """Name the first address that somebody else listens on, or give an empty string."""
    return next(filter(None, (refusal(host, port) for host, port in addresses)), "")


def _why(error: OSError) -> str:
    words = {
        errno.EACCES: "needs root",
        errno.EADDRINUSE: "is taken",
        errno.EADDRNOTAVAIL: "is no address of this machine",
    }
    return words.get(error.errno or 0, str(error.strerror))
