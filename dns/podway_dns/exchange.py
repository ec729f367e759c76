"""One question to one resolver, over UDP or TCP, on the plane."""

from __future__ import annotations

import errno
import math
import os
import socket
from collections.abc import Callable

from podway_dns import sections
from podway_dns.sections import Message, MessageError
from podway_proxy.plane.plane import Plane
from podway_proxy.values import Address


class Exchange:
    """Sends `body` (a message but for its id) and waits for the answer.

    `on_answer` or `on_failed` is called, once. The socket is new, so its port is the kernel's
    random choice, and the id is random too: who does not see the question can't forge the answer
    (RFC 5452 section 9.2). Answers that do not fit the question are passed over.
    """

    __slots__ = ("__weakref__", "_id", "_in", "_on_answer", "_on_failed", "_out", "_plane",
                 "_question", "_sock", "_stream")  # fmt: skip

    def __init__(
        self,
        plane: Plane,
        address: Address,
        body: bytes,
        on_answer: Callable[[Message], None],
        on_failed: Callable[[], None],
        *,
        stream: bool,
        seconds: float,
    ) -> None:
        self._plane = plane
        self._on_answer = on_answer
        self._on_failed = on_failed
        self._stream = stream
        self._id = os.urandom(2)
        message = self._id + body
        self._question = sections.read(message).question
        self._out = len(message).to_bytes(2, "big") + message if stream else message
        self._in = b""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
        self._sock = sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        plane.deadline(self, plane.now + seconds)
        if sock.connect_ex(address) in (0, errno.EINPROGRESS):
            plane.watch(sock.fileno(), self._on_event)
        else:
            plane.soon(self.on_deadline)

    def on_deadline(self) -> None:
        """Give up."""
        if self._sock.fileno() >= 0:
            self._close()
            self._on_failed()

    def _close(self) -> None:
        self._plane.deadline(self, math.inf)
        self._plane.close(self._sock)

    def _on_event(self, _: int) -> None:
        if self._sock.fileno() < 0:
            return
        try:
            if self._out:
                self._out = self._out[self._sock.send(self._out) :]
            while not self._read(self._sock.recv(65_535)):
                pass
        except BlockingIOError:
            return
        except OSError:  # refused, reset, no way there
            self.on_deadline()

    def _read(self, data: bytes) -> bool:
        """Take what came; True when the answer is there."""
        if not self._stream:
            return self._take(data)
        if not data:
            raise ConnectionResetError
        self._in += data
        end = 2 + int.from_bytes(self._in[:2], "big")
        if len(self._in) < max(end, 2 + sections.HEADER):
            return False
        if not self._take(self._in[2:end]):
            raise ConnectionResetError
        return True

    def _take(self, data: bytes) -> bool:
        """Take an answer if it is the one to our question."""
        if data[:2] != self._id or not data[2:3] or not data[2] & 0x80:
            return False
        try:
            message = sections.without_opt(sections.read(data))
        except MessageError:
            return False
        if message.question != self._question:
            return False
        self._close()
        self._on_answer(message)
        return True
