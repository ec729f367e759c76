"""What loader and worker have in common: how they begin, and how an unexpected error is told."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from podway_proxy.log import Log, Style
from podway_proxy.process.channel import Channel, Message
from podway_proxy.process.daemon import Daemon
from podway_proxy.process.spawn import call_me

FAILED = 1
"""Exit code of a child that could not begin."""


class Welcome(NamedTuple):
    """The master's first message, taken apart."""

    channel: Channel
    rest: list[Message]
    """What came right behind it."""
    body: dict[str, Any]
    fds: list[int]
    daemon: Daemon
    log: Log


def begin() -> Welcome:
    """Take the master's channel from the command line and wait for its first message."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    os.set_inheritable(channel.fileno(), False)
    messages = _first_messages(channel)
    body, fds = messages[0]
    daemon = Daemon(*body["daemon"])
    role = sys.argv[3] if sys.argv[3] == "loader" else f"{sys.argv[3]} {body['index']}"
    log = Log(daemon.name, daemon.instance, role, Style(*body["style"]))
    sys.excepthook = _hook(log)
    short = "loader" if role == "loader" else f"w{body['index']}"
    call_me(f"{daemon.name}:{short}")
    return Welcome(channel, messages[1:], body, fds, daemon, log)


def watch_errors(loop: asyncio.AbstractEventLoop, log: Log) -> None:
    """Log what no one caught in the loop as one record."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            log.unexpected("unexpected error", error, where=context.get("message", ""))
        else:
            log.error("unexpected error", where=context.get("message", ""))

    loop.set_exception_handler(handle)


def _first_messages(channel: Channel) -> list[Message]:
    channel.sock.setblocking(True)
    messages: list[Message] = []
    while not messages:
        # One blocking read at a time: the master sends the first message as it starts us, and
        # if it ends before, so do we.
        channel.sock.setblocking(True)
        channel.sock.recv(1, socket.MSG_PEEK)
        channel.sock.setblocking(False)
        messages = channel.receive()
        if channel.closed:
            sys.exit(FAILED)
    return messages


def _hook(
    log: Log,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    def hook(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        log.unexpected("unexpected error", error)

    return hook
