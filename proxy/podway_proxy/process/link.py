"""A channel on an asyncio loop: reads when there is something, writes when there is room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from podway_proxy.process.channel import Channel, Message


class Link:
    """Hands each message on; tells once when the peer is gone.

    `on_room` is called when everything sent has been taken by the kernel.
    """

    __slots__ = ("_channel", "_loop", "_on_gone", "_on_message", "_writing", "on_room")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        channel: Channel,
        on_message: Callable[[Message], None],
        on_gone: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._channel = channel
        self._on_message = on_message
        self._on_gone = on_gone
        self._writing = False
        self.on_room: Callable[[], None] | None = None
        loop.add_reader(channel.fileno(), self._readable)

    @property
    def busy(self) -> bool:
        """Tell whether bytes wait for the peer to read."""
        return self._channel.pending > 0

    def send(self, body: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send a message, now or when there is room."""
        self._channel.send(body, fds)
        self._watch_room()

    def send_frame(self, frame: bytes) -> None:
        """Send an encoded message."""
        self._channel.send_frame(frame)
        self._watch_room()

    def close(self) -> None:
        """Stop watching and close; nothing is called any more."""
        if self._channel.sock.fileno() >= 0:
            self._loop.remove_reader(self._channel.fileno())
            self._loop.remove_writer(self._channel.fileno())
        self._channel.close()

    def _readable(self) -> None:
        for message in self._channel.receive():
            self._on_message(message)
        if self._channel.closed and self._channel.sock.fileno() >= 0:
            self.close()
            self._on_gone()

    def _watch_room(self) -> None:
        if self._channel.pending and not self._writing:
            self._writing = True
            self._loop.add_writer(self._channel.fileno(), self._writable)

    def _writable(self) -> None:
        self._channel.flush()
        if not self._channel.pending:
            self._writing = False
            self._loop.remove_writer(self._channel.fileno())
            if self.on_room is not None:
                self.on_room()
