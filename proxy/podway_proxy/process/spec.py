"""What a loader asks for and hands out: listeners, probes, entries. Plain values, JSON-able."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Json = Any
"""A value that `json.dumps` takes as it is."""


class ListenerSpec(NamedTuple):
    """A listening socket that the master is asked for."""

    key: str
    """Unique in the daemon and stable over reloads: `tcp 127.0.0.1:8080`."""
    host: str
    port: int
    transport: str = "tcp"
    """`tcp` or `udp`."""
    client_first: bool = True
    """The client speaks first (TCP_DEFER_ACCEPT 1)."""
    admin: bool = False
    """Served by the loader (health, metrics), not by the workers."""
    why: str = ""
    """Which object or option asked for it: named when it can't be bound."""
    steered: bool = False
    """A client's address chooses its worker, else the kernel's hash of the connection."""


class TlsSpec(NamedTuple):
    """How an endpoint is spoken to inside TLS."""

    server_name: str
    """Sent as SNI."""
    ca: str = ""
    """PEM: who must have signed its certificate; empty: nobody's is accepted."""
    names: tuple[str, ...] = ()
    """Host names of which the certificate must have one; empty: any name will do."""


class ProbeSpec(NamedTuple):
    """An endpoint whose health the loader follows. `fall` and `rise` are counts in a row."""

    host: str
    port: int
    path: str = ""
    """Empty: a TCP connect is enough. Else `GET path` must answer 200."""
    check_port: int = 0
    """The port that is asked, where it is not the one that serves (a router's statsPort)."""
    interval: float = 5.0
    timeout: float = 2.0
    fall: int = 3
    rise: int = 2
    name: str = ""
    """What people call it, for the log."""
    source: str = ""
    """The address to check from; empty: the kernel chooses (a router trusts some only)."""
    tls: TlsSpec | None = None
    """The handshake must succeed, too; None: plain TCP."""


class Compiled(NamedTuple):
    """One snapshot, compiled: all that the workers, the master and the prober need of it."""

    entries: Mapping[str, Json]
    """By key; the workers get the differences to the set before."""
    listeners: tuple[ListenerSpec, ...] = ()
    probes: tuple[ProbeSpec, ...] = ()
    problems: tuple[str, ...] = ()
    """What is wrong with the objects, one finished line each."""
    ready: bool = True
    """False while there is nothing that could be served (no such controller, no zone)."""
    why: str = ""
    """Why it is not ready."""


class Changes(NamedTuple):
    """What differs between two sets of entries. Version 0 is the empty set."""

    version: int
    put: Mapping[str, Json]
    drop: tuple[str, ...] = ()
