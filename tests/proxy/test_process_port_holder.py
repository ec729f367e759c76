from __future__ import annotations

import os
import socket
import sys

import pytest

from podway_proxy.process.port_holder import decode, holder, listening

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0
   1: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1 0
   2: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 103 1 0
"""
LITTLE = pytest.mark.skipif(sys.byteorder != "little", reason="the table is a little-endian one")


@LITTLE
def test_only_listening_sockets_that_exclude_the_address_count() -> None:
    assert list(listening(TABLE, "127.0.0.1", 8080, "tcp")) == ["101"]
    assert list(listening(TABLE, "0.0.0.0", 8080, "tcp")) == ["101"]
    assert list(listening(TABLE, "127.0.0.2", 8080, "tcp")) == []
    assert list(listening(TABLE, "127.0.0.2", 443, "tcp")) == ["102"]


@LITTLE
def test_addresses_of_proc_net_are_words_in_the_machines_order() -> None:
    assert decode("0100007F") == "127.0.0.1"
    assert decode("00000000000000000000000001000000") == "::1"


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_the_holder_is_named_with_its_pid(kind: socket.SocketKind) -> None:
    transport = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        if transport == "tcp":
            sock.listen()
        assert f"(pid {os.getpid()})" in holder(*sock.getsockname(), transport)


def test_nobody_is_named_for_a_free_port() -> None:
    assert holder("127.0.0.1", 1, "udp") == ""
