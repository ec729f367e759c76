"""Framed JSON messages with descriptors over a Unix stream socket.

No event loop: master, loader and workers use it, each with its own way of waiting.
A frame is a 4-byte length, a 1-byte count of descriptors, and a JSON object. The descriptors go
with the frame's first byte (SCM_RIGHTS), so they are there when the frame is complete.
"""

from __future__ import annotations

import array
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

_HEAD: Final = struct.Struct(">IB")
FRAME_BYTES: Final = 256 * 1024 * 1024
"""Longest frame: the entries of some 100,000 routes. Longer ones are a fault of ours."""
FRAME_FDS: Final = 16
_RIGHTS_BYTES: Final = socket.CMSG_SPACE(FRAME_FDS * 4)
_READ_BYTES: Final = 262_144
_READS: Final = 64
"""Reads for one call of `receive`, so that one busy peer does not hold up the others."""


class Message(NamedTuple):
    """One frame as received; the descriptors are the receiver's to close."""

    body: dict[str, Any]
    fds: list[int]


class Channel:
    """One end. `closed` tells that the peer is gone; what it sent before is still delivered."""

    __slots__ = ("_fds", "_in", "_out", "closed", "pending", "sock")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.closed = False
        self.pending = 0
        """Bytes that the kernel has not taken yet: flush again when the socket is writable."""
        self._in = bytearray()
        self._fds: deque[int] = deque()
        self._out: deque[tuple[memoryview, list[int]]] = deque()

    def fileno(self) -> int:
        """Give the descriptor, for poll and add_reader."""
        return self.sock.fileno()

    def send(self, body: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Queue a message and write what the kernel takes; the descriptors are duplicated."""
        self.send_frame(encode(body, len(fds)), fds)

    def send_frame(self, frame: bytes, fds: Sequence[int] = ()) -> None:
        """Queue an encoded frame: for one that goes to several peers."""
        if self.closed:
            return
        self._out.append((memoryview(frame), [os.dup(fd) for fd in fds]))
        self.pending += len(frame)
        self.flush()

    def flush(self) -> None:
        """Write what the kernel takes; `pending` tells what is left."""
        while self._out and not self.closed:
            data, fds = self._out[0]
            taken = self._write(data, fds)
            if taken == 0:
                return
            self.pending -= taken
            _close_all(fds)
            if taken < len(data):
                self._out[0] = (data[taken:], [])
            else:
                self._out.popleft()

    def receive(self) -> list[Message]:
        """Give the messages that are complete; sets `closed` at the end of the stream."""
        for _ in range(_READS):
            if not self._read():
                break
        return list(self._frames())

    def close(self) -> None:
        """Close this end and every descriptor that was to be sent or not taken."""
        self.closed = True
        for _, fds in self._out:
            _close_all(fds)
        self._out.clear()
        _close_all(self._fds)
        self.pending = 0
        self.sock.close()

    def _write(self, data: memoryview, fds: list[int]) -> int:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            return self.sock.sendmsg([data], rights, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return 0
        except OSError:
            self._end()  # the peer is gone: its end is reported once, by `closed`
            return 0

    def _end(self) -> None:
        self.closed = True
        self.pending = 0

    def _read(self) -> bool:
        try:
            # Not socket.recv_fds: in Python 3.11 it drops the flags, and children would inherit.
            data, rights, _, _ = self.sock.recvmsg(
                _READ_BYTES, _RIGHTS_BYTES, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return False
        except OSError:
            data, rights = b"", []
        if not data:
            self._end()
            return False
        self._in += data
        for level, kind, packed in rights:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self._fds.extend(array.array("i", packed))
        return True

    def _frames(self) -> Iterable[Message]:
        start = 0
        while len(self._in) - start >= _HEAD.size:
            length, count = _HEAD.unpack_from(self._in, start)
            if length > FRAME_BYTES or count > FRAME_FDS:
                raise ValueError(f"a frame of {length} bytes and {count} descriptors")
            end = start + _HEAD.size + length
            if len(self._in) < end:
                break
            body = json.loads(self._in[start + _HEAD.size : end])
            start = end
            yield Message(body, [self._fds.popleft() for _ in range(count)])
        del self._in[:start]

    def freeze(self) -> dict[str, Any]:
        """Give what a channel has read and not delivered, and its descriptor, as JSON.

        For the master that re-executes itself; nothing may be pending.
        """
        return {"fd": self.fileno(), "in": self._in.hex(), "fds": list(self._fds)}

    @classmethod
    def thaw(cls, frozen: dict[str, Any]) -> Channel:
        """Make the channel again that was frozen in the program before exec."""
        made = cls(socket.socket(fileno=frozen["fd"]))
        made._in += bytes.fromhex(frozen["in"])
        made._fds.extend(frozen["fds"])
        return made


def encode(body: dict[str, Any], fds: int = 0) -> bytes:
    """Make a frame."""
    data = json.dumps(body, separators=(",", ":")).encode()
    if len(data) > FRAME_BYTES or fds > FRAME_FDS:
        raise ValueError(f"a message of {len(data)} bytes and {fds} descriptors is too long")
    return _HEAD.pack(len(data), fds) + data


def pair() -> tuple[Channel, socket.socket]:
    """Make a socket pair: our end as a channel, the other to hand on."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return Channel(ours), theirs


def _close_all(fds: Any) -> None:
    for fd in fds:
        os.close(fd)
    fds.clear()
