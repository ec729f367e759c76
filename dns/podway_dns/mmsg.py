"""recvmmsg(2) and sendmmsg(2): a batch of datagrams per system call. Linux, through ctypes.

Python's socket module has one call per datagram, with an address made into text and back each
time; that is half of what an answer costs. Here a socket's addresses stay as the kernel wrote
them: what was received as the sender's is sent to. The structures are those of 64-bit Linux.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from array import array
from itertools import accumulate, groupby
from typing import Final

SLOTS: Final = 64
"""Datagrams per call."""
MESSAGE: Final = 1232 + 28
"""Bytes of a slot: our answers have at most 1232; a longer query is cut and so malformed."""
_HEADER: Final = 64
"""sizeof(struct mmsghdr): 56 of msghdr, the length, padding."""
_NAME: Final = 28
"""sizeof(struct sockaddr_in6)."""
_LENGTHS: Final = {socket.AF_INET: 16, socket.AF_INET6: 28}

_STARTS: Final = range(0, SLOTS * MESSAGE, MESSAGE)

_libc = ctypes.PyDLL(None, use_errno=True)
_CALL = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_recvmmsg = _libc.recvmmsg
_recvmmsg.argtypes = _CALL
_sendmmsg = _libc.sendmmsg
_sendmmsg.argtypes = _CALL[:4]


class Batch:
    """Buffers for one batch of one socket.

    After `receive()` gave n, `messages(n)` are the datagrams and `address(i)` is a sender's;
    `send(replies)` answers to the same senders, slot by slot; an empty reply is none.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._fd = sock.fileno()
        family = socket.AddressFamily(sock.family)
        self._name_length = _LENGTHS[family]
        self._ip = slice(4, 8) if family == socket.AF_INET else slice(8, 24)
        self.inbox = bytearray(SLOTS * MESSAGE)
        self.outbox = bytearray(SLOTS * MESSAGE)
        self._names = bytearray(SLOTS * _NAME)
        self._in_headers, self._in_parts = self._headers(self.inbox)
        self._out_headers, self._out_parts = self._headers(self.outbox)
        self._in_at = _address(self._in_headers)
        self._out_at = _address(self._out_headers)
        self._lengths = memoryview(self._in_headers).cast("I")[14::16]
        self._in_view = memoryview(self.inbox)
        parts = memoryview(self._out_parts).cast("Q")
        self._out_starts, self._out_lengths = parts[0::2], parts[1::2]
        self._outbox_at = _address(self.outbox)

    def _headers(self, data: bytearray) -> tuple[bytearray, bytearray]:
        """Make the array of struct mmsghdr and that of struct iovec that it points to."""
        headers, parts = bytearray(SLOTS * _HEADER), bytearray(SLOTS * 16)
        fields, part = memoryview(headers).cast("Q"), memoryview(parts).cast("Q")
        names_at, parts_at, data_at = _address(self._names), _address(parts), _address(data)
        for slot in range(SLOTS):
            part[2 * slot : 2 * slot + 2] = _words(data_at + slot * MESSAGE, MESSAGE)
            fields[8 * slot : 8 * slot + 4] = _words(
                names_at + slot * _NAME, self._name_length, parts_at + slot * 16, 1
            )
        return headers, parts

    def receive(self) -> int:
        """Read what is there, at most SLOTS datagrams; 0 when there is nothing."""
        count = int(_recvmmsg(self._fd, self._in_at, SLOTS, socket.MSG_DONTWAIT, None))
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return 0
            raise OSError(number, os.strerror(number))
        return count

    def messages(self, count: int) -> list[bytes]:
        """Give the datagrams received."""
        whole = bytes(self._in_view[: count * MESSAGE])
        return [
            whole[at : at + length]
            for at, length in zip(_STARTS, self._lengths[:count].tolist(), strict=False)
        ]

    def address(self, slot: int) -> bytes:
        """Give the sender's packed IP address."""
        name = self._names[slot * _NAME : (slot + 1) * _NAME]
        return bytes(name[self._ip])

    def send(self, replies: list[bytes]) -> int:
        """Send the replies to the senders of their slots; give how many the kernel left."""
        count = len(replies)
        data = b"".join(replies)
        self.outbox[: len(data)] = data
        lengths = array("Q", map(len, replies))
        starts = array("Q", accumulate(lengths, initial=self._outbox_at))
        starts.pop()
        self._out_starts[:count] = memoryview(starts)
        self._out_lengths[:count] = memoryview(lengths)
        if all(replies):
            return self._send(0, count)
        ranges = groupby(range(count), key=lambda slot: bool(replies[slot]))
        whole = [list(slots) for wanted, slots in ranges if wanted]
        return sum(self._send(slots[0], slots[-1] + 1) for slots in whole)

    def _send(self, start: int, stop: int) -> int:
        lost = 0
        while start < stop:
            at = self._out_at + start * _HEADER
            sent = int(_sendmmsg(self._fd, at, stop - start, socket.MSG_DONTWAIT))
            if sent < 0:
                if ctypes.get_errno() == errno.EAGAIN:
                    return lost + stop - start
                lost += 1
                sent = 1
            start += sent
        return lost


def _address(data: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(data))


def _words(*values: int) -> memoryview:
    return memoryview(b"".join(value.to_bytes(8, "little") for value in values)).cast("Q")
