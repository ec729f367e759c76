"""A connection to an endpoint: carries one request at a time, waits in the pool between them."""

from __future__ import annotations

import contextlib
import socket
from typing import Protocol

from podway_proxy.plane.plane import GONE, READ, Plane
from podway_proxy.values import Endpoint


class User(Protocol):
    """Who the connection's edges belong to while a request is on it."""

    def on_endpoint(self, mask: int) -> None:
        """Take an edge."""


class Owner(Protocol):
    """Where it waits while no request is on it."""

    def drop(self, connection: EndpointConnection) -> None:
        """Close a kept connection that its endpoint has closed, or spoken on unasked."""


class EndpointConnection:
    """One connection. It stays in the epoll set from its making to its end."""

    __slots__ = (
        "endpoint",
        "gone",
        "idle_since",
        "missed",
        "owner",
        "plane",
        "sock",
        "used",
        "user",
    )

    def __init__(
        self, plane: Plane, sock: socket.socket, endpoint: Endpoint, user: User, owner: Owner
    ) -> None:
        self.plane = plane
        self.sock = sock
        self.endpoint = endpoint
        self.user: User | None = user
        """None while it is kept."""
        self.owner = owner
        self.gone = False
        """An edge has told of the end of what the endpoint sends."""
        self.used = False
        """It has carried a request before this one."""
        self.idle_since = 0.0
        self.missed = plane.watch(sock.fileno(), self._on_event)
        """Edges up to now went to somebody else: read without waiting for one."""

    def stale(self) -> bool:
        """Ask the kernel whether a kept connection has ended or holds bytes nobody asked for.

        For requests that must not be sent twice: it costs a system call.
        """
        with contextlib.suppress(BlockingIOError):
            try:
                self.sock.recv(1, socket.MSG_PEEK)
            except ConnectionError:
                return True
            return True
        return False

    def untouched(self, size: int) -> bool:
        """Tell whether a first send of so many bytes that failed has sent none of them."""
        del size  # whatever it is
        return True

    def close(self) -> None:
        """Close after a whole answer, or before the endpoint was sent anything."""
        self.user = None
        self.plane.close(self.sock)

    def abort(self) -> None:
        """Close with RST: the endpoint must not take what it got for the whole request."""
        self.user = None
        self.plane.abort(self.sock)

    def _on_event(self, mask: int) -> None:
        if mask & GONE:
            self.gone = True
        if self.user is not None:
            self.user.on_endpoint(mask)
        elif mask & READ:
            self.owner.drop(self)
