"""What one worker is told: always the difference to what it was told last.

While a worker does not read, nothing piles up for it: changes collect, and it is sent one
difference when there is room again. A worker that is slow or dead never holds up another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from podway_proxy.process.changes import difference
from podway_proxy.process.channel import Message, encode
from podway_proxy.process.link import Link
from podway_proxy.process.spec import Json


class Current(NamedTuple):
    """A version of the entries."""

    version: int
    entries: Mapping[str, Json]


class Encoder:
    """Encodes differences; the last one is kept, since all workers usually need the same."""

    __slots__ = ("_frame", "_key")

    def __init__(self) -> None:
        self._key: tuple[int, int] = (-1, -1)
        self._frame = b""

    def frame(self, old: Current | None, new: Current) -> bytes:
        """Give the message that brings a worker from `old` (None: unknown) to `new`."""
        key = (old.version if old else 0, new.version)
        if key != self._key:
            self._key, self._frame = key, encode(_body(old, new))
        return self._frame


def _body(old: Current | None, new: Current) -> dict[str, Json]:
    changes = difference(old.entries if old else {}, new.entries, new.version)
    full = old is None
    return {"op": "changes", **changes._asdict(), "full": full}


class Feed:
    """The loader's end of the link to one worker."""

    __slots__ = ("_encoder", "_latest", "_link", "_sent", "applied", "index", "pid")

    def __init__(self, index: int, pid: int, encoder: Encoder) -> None:
        self.index = index
        self.pid = pid
        self.applied = 0
        """The version that the worker serves; 0: none of this loader's yet."""
        self._encoder = encoder
        self._link: Link | None = None
        self._sent: Current | None = None
        self._latest: Current | None = None

    def connect(self, make: Callable[[Callable[[Message], None]], Link]) -> None:
        """Take the link that `make` gives for our message handler."""
        self._link = make(self._on_message)
        self._link.on_room = self._perhaps_send

    def offer(self, current: Current) -> None:
        """Let the worker know of a version, now or when it has read what it was sent."""
        self._latest = current
        self._perhaps_send()

    def close(self) -> None:
        """Close the link."""
        if self._link is not None:
            self._link.close()

    def _perhaps_send(self) -> None:
        link, latest = self._link, self._latest
        if link is None or link.busy or latest is None or latest is self._sent:
            return
        frame = self._encoder.frame(self._sent, latest)
        self._sent = latest
        link.send_frame(frame)

    def _on_message(self, message: Message) -> None:
        if message.body["op"] == "applied":
            self.applied = message.body["version"]
