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
import struct
from array import array
from itertools import accumulate, groupby
from typing import Any, Final

SLOTS: Final = 64
"""Datagrams per call."""
MESSAGE: Final = 1232 + 28
"""Longest message: our answers have at most 1232; a longer query is cut and so malformed."""
FRONT: Final = 128
"""So much of each query is received side by side, which holds nearly all of them whole: what a
batch copies and touches then is 8 KiB instead of 80."""
_REST: Final = MESSAGE - FRONT
_FEW: Final = 4
"""Up to so many are rather read one by one."""
_ID: Final = 2
"""A message begins with its id (RFC 1035 section 4.1.1)."""
_HEADER: Final = 64
"""sizeof(struct mmsghdr): 56 of msghdr, the length, padding."""
_NAME: Final = 28
"""sizeof(struct sockaddr_in6)."""
_PARTS: Final = 32
"""Two struct iovec per message."""
_CONTROL: Final = 64
"""Room for one control message with in6_pktinfo (40 bytes)."""
_CMSG: Final = struct.Struct("=Qii")
"""struct cmsghdr: length with this header, level, type."""
IP_PKTINFO: Final = 8
"""linux/in.h; Python 3.11's socket module does not have it."""
Origin = tuple[tuple[Any, ...], list[tuple[int, int, bytes]]]
"""A sender's address as `sendmsg` takes it, and the control data to answer from ours."""
_LENGTHS: Final = {socket.AF_INET: 16, socket.AF_INET6: 28}

_STARTS: Final = range(0, SLOTS * FRONT, FRONT)

_libc = ctypes.PyDLL(None, use_errno=True)
_CALL = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_recvmmsg = _libc.recvmmsg
_recvmmsg.argtypes = _CALL
_sendmmsg = _libc.sendmmsg
_sendmmsg.argtypes = _CALL[:4]


class Batch:
    """Buffers for one batch of one socket.

    After `receive()` gave n, `questions(n)` are the datagrams but for their ids and `address(i)` is
    a sender's; `send(replies)` answers to the same senders, slot by slot, without the ids too: the
    kernel takes each from where it came in. An empty reply is none. A socket bound to every address
    answers from the one that was asked.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self._family = socket.AddressFamily(sock.family)
        self._name_length = _LENGTHS[self._family]
        self._ip = slice(4, 8) if self._family == socket.AF_INET else slice(8, 24)
        self._names = bytearray(SLOTS * _NAME)
        self._control = bytearray(SLOTS * _CONTROL)
        self._control_length = self._ask_for_destinations()
        self._fronts, self._rests = bytearray(SLOTS * FRONT), bytearray(SLOTS * _REST)
        self._outbox = bytearray(SLOTS * MESSAGE)
        fronts_at, rests_at = _address(self._fronts), _address(self._rests)
        self._outbox_at = _address(self._outbox)
        self._in_headers, self._in_parts = self._headers(
            (fronts_at, FRONT, FRONT), (rests_at, _REST, _REST)
        )
        self._out_headers, self._out_parts = self._headers(
            (fronts_at, FRONT, _ID), (self._outbox_at, 0, 0)
        )
        self._in_at, self._out_at = _address(self._in_headers), _address(self._out_headers)
        self._lengths = memoryview(self._in_headers).cast("I")[14::16]
        self._control_lengths = memoryview(self._in_headers).cast("Q")[5::8]
        self._interfaces = memoryview(self._control).cast("I")[4 :: _CONTROL // 4]
        parts = memoryview(self._out_parts).cast("Q")
        self._out_starts, self._out_lengths = parts[2::4], parts[3::4]

    def _ask_for_destinations(self) -> int:
        """Have the kernel tell which of our addresses was asked, where the socket has them all.

        Gives the bytes of control data per datagram (ip(7), ipv6(7)).
        """
        if self._sock.getsockname()[0] not in ("0.0.0.0", "::"):  # noqa: S104 - only compared
            return 0
        if self._family == socket.AF_INET:
            self._sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            return socket.CMSG_SPACE(12)
        self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        return socket.CMSG_SPACE(20)

    def _headers(self, *both: tuple[int, int, int]) -> tuple[bytearray, bytearray]:
        """Make the array of struct mmsghdr and that of struct iovec that it points to.

        Each message has two parts: where the first slot's is, how far on the next, length.
        """
        headers, parts = bytearray(SLOTS * _HEADER), bytearray(SLOTS * _PARTS)
        fields, part = memoryview(headers).cast("Q"), memoryview(parts).cast("Q")
        names_at, parts_at = _address(self._names), _address(parts)
        control_at = _address(self._control) if self._control_length else 0
        for slot in range(SLOTS):
            words = [word for at, step, length in both for word in (at + slot * step, length)]
            part[4 * slot : 4 * slot + 4] = _words(*words)
            fields[8 * slot : 8 * slot + 6] = _words(
                names_at + slot * _NAME, self._name_length, parts_at + slot * _PARTS, len(both),
                control_at and control_at + slot * _CONTROL, self._control_length,
            )  # fmt: skip
        return headers, parts

    def receive(self) -> int:
        """Read what is there, at most SLOTS datagrams; 0 when there is nothing."""
        count = int(_recvmmsg(self._fd, self._in_at, SLOTS, socket.MSG_DONTWAIT, None))
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return 0
            raise OSError(number, os.strerror(number))
        if self._control_length:
            self._control_lengths[:count] = memoryview(array("Q", [self._control_length] * count))
            if self._family == socket.AF_INET:  # the route back is the kernel's choice, not ours
                self._interfaces[:count] = memoryview(array("I", bytes(4 * count)))
        return count

    def questions(self, count: int) -> list[bytes]:
        """Give the datagrams received, each without its id."""
        if count <= _FEW:
            return [self._message(slot, self._lengths[slot])[_ID:] for slot in range(count)]
        fronts = bytes(self._fronts)
        lengths = self._lengths[:count].tolist()
        if max(lengths) <= FRONT:
            return [
                fronts[at + _ID : at + length] for at, length in zip(_STARTS, lengths, strict=False)
            ]
        return [self._message(slot, length)[_ID:] for slot, length in enumerate(lengths)]

    def _message(self, slot: int, length: int) -> bytes:
        at = slot * FRONT
        if length <= FRONT:
            return bytes(self._fronts[at : at + length])
        rest = slot * _REST
        return bytes(self._fronts[at : at + FRONT] + self._rests[rest : rest + length - FRONT])

    def ident(self, slot: int) -> bytes:
        """Give a datagram's id; of one that is too short for that, two bytes."""
        return bytes(self._fronts[slot * FRONT : slot * FRONT + _ID])

    def address(self, slot: int) -> bytes:
        """Give the sender's packed IP address."""
        name = self._names[slot * _NAME : (slot + 1) * _NAME]
        return bytes(name[self._ip])

    def origin(self, slot: int) -> Origin:
        """Give where a datagram came from and went to, for the log and for late answers."""
        name = self._names[slot * _NAME : (slot + 1) * _NAME]
        host, port = socket.inet_ntop(self._family, bytes(name[self._ip])), _big(name[2:4])
        control = self._control[slot * _CONTROL : (slot + 1) * _CONTROL]
        ancillary = []
        if self._control_length:
            length, level, kind = _CMSG.unpack_from(control)
            ancillary.append((level, kind, bytes(control[_CMSG.size : length])))
        if self._family == socket.AF_INET:
            return (host, port), ancillary
        scope = int.from_bytes(name[24:28], "little")
        return (host, port, 0, scope), ancillary

    def send_late(self, origin: Origin, reply: bytes) -> bool:
        """Answer a datagram of an earlier batch; False if the kernel did not take it."""
        peer, ancillary = origin
        try:
            self._sock.sendmsg([reply], ancillary, 0, peer)
        except OSError:
            return False
        return True

    def send(self, replies: list[bytes]) -> int:
        """Send replies without ids to the senders of their slots; give how many the kernel left."""
        count = len(replies)
        if count == 1:
            return self._send_one(replies[0])
        data = b"".join(replies)
        self._outbox[: len(data)] = data
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

    def _send_one(self, reply: bytes) -> int:
        """Send what is in a batch of one: under little load that is every batch."""
        if not reply:
            return 0
        self._outbox[: len(reply)] = reply
        self._out_lengths[0] = len(reply)  # slot 0 always starts where the outbox does
        return self._send(0, 1)

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


def _big(data: bytearray) -> int:
    return int.from_bytes(data, "big")


def _address(data: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(data))


def _words(*values: int) -> memoryview:
    return memoryview(b"".join(value.to_bytes(8, "little") for value in values)).cast("Q")
