"""Which of a listener's sockets a client gets: a program for the kernel, by the client's address.

The kernel spreads connections over a port's sockets by a hash of both addresses and ports, so that
a client comes to another worker each time, where the TLS session that it would resume is unknown.
With this program its address alone decides. A result that is no socket of the group (one has been
closed) leaves the choice to the kernel's hash.
"""

from __future__ import annotations

import array
import socket
import struct
from collections.abc import Sequence
from typing import Final

_ATTACH: Final = 51
"""SO_ATTACH_REUSEPORT_CBPF (asm-generic/socket.h); the socket module has no name for it."""
_NETWORK: Final = 0x1_0000_0000 - 0x10_0000
"""SKF_NET_OFF (linux/filter.h): offsets from here on are into the IP header."""
_SOURCE_4: Final = 12
_SOURCE_6: Final = 8
"""Offsets of the source address (RFC 791 section 3.1, RFC 8200 section 3)."""
_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS; the following likewise (linux/bpf_common.h)
_TO_X: Final = 0x07
_XOR_X: Final = 0xAC
_MULTIPLY: Final = 0x24
_SHIFT_RIGHT: Final = 0x74
_MODULO: Final = 0x94
_RETURN_A: Final = 0x16
_GOLDEN: Final = 0x9E37_79B1
"""2**32 over the golden ratio: neighbouring addresses come far apart (Knuth, 6.4)."""

Program = tuple[tuple[int, int], ...]
"""(code, operand) of each instruction."""


def program(family: int, count: int) -> Program:
    """Give the program for a group of `count` sockets of that address family."""
    if family == socket.AF_INET:
        mixed: Program = ((_LOAD, _NETWORK + _SOURCE_4),)
    else:
        words = [_NETWORK + _SOURCE_6 + 4 * word for word in range(4)]
        mixed = ((_LOAD, words[0]),)
        for word in words[1:]:
            mixed += ((_TO_X, 0), (_LOAD, word), (_XOR_X, 0))
    return (*mixed, (_MULTIPLY, _GOLDEN), (_SHIFT_RIGHT, 16), (_MODULO, count), (_RETURN_A, 0))


def attach(sockets: Sequence[socket.socket]) -> None:
    """Have the kernel choose among these sockets of one port by the client's address; OSError."""
    steps = program(sockets[0].family, len(sockets))
    code = array.array("B", b"".join(struct.pack("HBBI", code, 0, 0, k) for code, k in steps))
    address, _ = code.buffer_info()
    sockets[-1].setsockopt(socket.SOL_SOCKET, _ATTACH, struct.pack("HP", len(steps), address))
