"""Telling whoever started the daemon that it is ready: systemd's NOTIFY_SOCKET (sd_notify(3))."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send `READY=1`, `STOPPING=1`, … where somebody asked for it; nobody there is no error."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    name = "\0" + path[1:] if path.startswith("@") else path
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock,
        contextlib.suppress(OSError),  # the starter went away: the daemon serves all the same
    ):
        sock.sendto(state.encode(), name)
