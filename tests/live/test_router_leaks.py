"""Thousands of connections of every bad kind: all that was taken is given back."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hellos import hello
from ingress_objects import controller, endpoints, route, service
from ingress_rig import PATIENCE, Daemon, Manifests, Pod, address, free_port, get, until

pytestmark = pytest.mark.live

CONNECTIONS = 3_000
GROWTH = 8 << 20
"""Bytes that a worker may be larger after them than after the first thousand: caches fill."""
RESET = struct.pack("ii", 1, 0)
GET = b"GET / HTTP/1.1\r\nHost: web.t\r\n\r\n"

Where = tuple[str, int]


def connect(where: Where, data: bytes, end: Callable[[socket.socket], None]) -> None:
    """Connect, send, and leave in some way; what the router does meanwhile is not our error."""
    with contextlib.suppress(OSError), socket.create_connection(where, PATIENCE) as sock:
        sock.sendall(data)
        end(sock)


def read(sock: socket.socket) -> None:
    while sock.recv(65536):
        pass


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def half_close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)
    read(sock)


def visit(number: int, http: Where, https: Where) -> None:
    """Come as the `number`-th of the bad clients."""
    kinds: list[tuple[Where, bytes, Callable[[socket.socket], None]]] = [
        (http, GET, reset),
        (http, GET, half_close),
        (http, GET[:20], reset),
        (http, GET[:20], half_close),
        (http, b"\x00garbage\r\n\r\n", read),
        (http, b"GET / HTTP/1.1\r\nHost: %d.t\r\n\r\n" % number, half_close),
        (http, GET.replace(b"web", b"dead"), half_close),
        (https, GET, read),
        (https, hello(b"nobody.t"), read),
        (https, hello(b"through.t"), reset),
        (https, hello(b"through.t")[:30], half_close),
    ]
    connect(*kinds[number % len(kinds)])


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid: int) -> int:
    """Resident bytes, as /proc/<pid>/statm has them."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_descriptors_and_memory_return_to_where_they_were(tmp_path: Path) -> None:
    manifests, host = Manifests(tmp_path), address()
    http, https = (host, free_port(host)), (host, free_port(host))
    with Pod("web") as pod, socket.create_server((address(), 0)) as gone:
        dead = gone.getsockname()[:2]
        gone.close()
        manifests.put(
            "site",
            controller("apps", http[1], https[1], free_port(host)),
            *(service("web"), endpoints("web", pod.where), route("web", "web.t", "web")),
            *(service("dead"), endpoints("dead", dead), route("dead", "dead.t", "dead")),
            route("through", "through.t", "web", tls={"termination": "passthrough"}),
        )
        usual = ("--name", "apps", "--bind", host, "--allow-loopback-endpoints")
        with Daemon("podway-router", manifests, *usual, workers=1) as router:
            (worker,) = router.pids("worker")
            assert get(http, "web.t")[0] == 200
            before = descriptors(worker)
            for number in range(CONNECTIONS // 3):
                visit(number, http, https)
            warm = memory(worker)
            for number in range(CONNECTIONS // 3, CONNECTIONS):
                visit(number, http, https)
            # At most the connection to the pod is kept.
            until("descriptors are back", lambda: descriptors(worker) <= before + 1)
            assert memory(worker) - warm < GROWTH
            assert get(http, "web.t")[0] == 200, "and it serves as before"
            assert router.pids("worker") == [worker]
