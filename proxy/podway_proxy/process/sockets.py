"""Listening sockets: bound once by the master, one per worker on the same port.

The first socket of a listener is bound and listens without SO_REUSEPORT, so that a second daemon
on the port is an error at once and no two can race each other into it; then the option is set and
the other workers' sockets join. The kernel spreads new connections over them by a hash.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket

from podway_proxy.process import address
from podway_proxy.process.port_holder import holder
from podway_proxy.process.spec import ListenerSpec

BACKLOG = 4096
"""Connections that wait to be accepted; the kernel caps it at net.core.somaxconn (4096)."""
_DEFER_SECONDS = 1
"""TCP_DEFER_ACCEPT: a client that says nothing is handed over after about that long."""


class BindError(Exception):
    """A listener could not be bound; the message says which, why, and what to do."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def bind(spec: ListenerSpec, count: int) -> list[socket.socket]:
    """Bind a listener: `count` sockets on one port, non-blocking, listening.

    Port 0 takes any free port, the same for all. Raises BindError.
    """
    sockets: list[socket.socket] = []
    try:
        sockets.append(_first(spec))
        port = sockets[0].getsockname()[1]
        while len(sockets) < count:
            sockets.append(_further(spec._replace(port=port)))
        if spec.steered and count > 1:
            _steer(sockets)
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise BindError(explain(spec, error), error.errno or 0) from error
    return sockets


def _steer(sockets: list[socket.socket]) -> None:
    from podway_proxy.process import steering  # late: few daemons ask for it

    # A kernel that takes no such program spreads clients by its own hash: all are served.
    with contextlib.suppress(OSError):
        steering.attach(sockets)


def _first(spec: ListenerSpec) -> socket.socket:
    sock = _socket(spec)
    try:
        _bind(sock, spec)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _further(spec: ListenerSpec) -> socket.socket:
    sock = _socket(spec)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind(sock, spec)
    except BaseException:
        sock.close()
        raise
    return sock


def _socket(spec: ListenerSpec) -> socket.socket:
    family = socket.AF_INET6 if ":" in spec.host else socket.AF_INET
    kind = socket.SOCK_DGRAM if spec.transport == "udp" else socket.SOCK_STREAM
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind == socket.SOCK_STREAM:
        # Connections of the daemon before us in TIME_WAIT do not count as taken; a listener does.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited on accept
    return sock


def _bind(sock: socket.socket, spec: ListenerSpec) -> None:
    sock.bind((spec.host, spec.port))
    if spec.transport == "tcp":
        set_defer(sock, spec)
        sock.listen(BACKLOG)


def set_defer(sock: socket.socket, spec: ListenerSpec) -> None:
    """Wake the worker with the client's first bytes, where it is the client that speaks first."""
    seconds = _DEFER_SECONDS if spec.client_first and not spec.admin else 0
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)


def explain(spec: ListenerSpec, error: OSError) -> str:
    """Say what could not be bound, why, and what to do about it."""
    where = f"{address.show(spec.host, spec.port)}/{spec.transport}"
    wanted = f" ({spec.why})" if spec.why else ""
    return f"can't listen on {where}{wanted}: {_reason(spec, error)}"


def _reason(spec: ListenerSpec, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        who = holder(spec.host, spec.port, spec.transport) or "another process"
        return f"the port is taken by {who}; stop it or listen elsewhere"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"no permission for a port below {_first_free_port()}; allow it with `sysctl -w "
            f"net.ipv4.ip_unprivileged_port_start={spec.port}`, or give the interpreter the right "
            "with `setcap cap_net_bind_service=+ep`, or start as root with --user, or take a "
            "higher port"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return "no interface of this host has that address; add it or listen on another one"
    if error.errno == errno.EAFNOSUPPORT:
        return "this host has no IPv6; listen on an IPv4 address"
    return os.strerror(error.errno or 0)


def _first_free_port() -> int:
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 1024  # Linux's default, where /proc is hidden from us
