"""Asks for a page, the whole way from its name, until the first answer comes."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence

from podway.lab.ports import Address

POLL_SECONDS = 0.01
GIVE_UP_SECONDS = 10.0
_CONNECT_SECONDS = 2.0


class Probe:
    """The first Route: where its name is asked for, and what is asked of it."""

    def __init__(
        self, dns: Address, host: str, path: str, port: int, routers: Sequence[Address] = ()
    ) -> None:
        self._dns = dns
        self._host = host
        self._path = path
        self._port = port
        self._routers = routers
        self.answered_by = ""
        """The pod's own words for itself (its X-Pod header), once it has answered."""

    def try_once(self) -> bool:
        """Resolve, connect, ask; True when a pod answered. Raises OSError where the way ends."""
        from podway.ask import exchange, request
        from podway.resolve import resolve

        # The balancers take connections before the routers do; asking them too early would make
        # them log failures that are none.
        if self._routers and not any(is_ready(router) for router in self._routers):
            return False
        addresses = resolve(self._dns, self._host, timeout=0.5).addresses
        authority = self._host if self._port == 80 else f"{self._host}:{self._port}"
        with connected([(address, self._port) for address in addresses]) as sock:
            answer = exchange(sock, request(authority, self._path, "text/plain"))
        self.answered_by = answer.headers.get("x-pod", "")
        return answer.status == 200


def connected(addresses: Sequence[Address]) -> socket.socket:
    """Connect to the first address that accepts, as a browser does. Raises OSError."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):  # the next one may
            return socket.create_connection(address, _CONNECT_SECONDS)
    if not addresses:
        raise ConnectionError("no address")
    return socket.create_connection(addresses[-1], _CONNECT_SECONDS)


def is_ready(admin: Address) -> bool:
    """Tell whether a daemon says so at its admin port."""
    from podway.ask import exchange, request

    try:
        with socket.create_connection(admin, _CONNECT_SECONDS) as sock:
            return exchange(sock, request(admin[0], "/healthz/ready", "*/*")).status == 200
    except OSError:
        return False  # not there yet


def until(test: Callable[[], bool], done: Callable[[float], None]) -> threading.Thread:
    """Ask `test` over and over in a thread; then call `done` with the time, 0.0 if it never held.

    The time is CLOCK_BOOTTIME, as `process_start` gives it. An OSError counts as a no.
    """
    thread = threading.Thread(target=_until, args=(test, done), name="until", daemon=True)
    thread.start()
    return thread


def _until(test: Callable[[], bool], done: Callable[[float], None]) -> None:
    end = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < end:
        # Refused and reset are what a way says of which some part is not there yet.
        with contextlib.suppress(OSError):
            if test():
                done(time.clock_gettime(time.CLOCK_BOOTTIME))
                return
        time.sleep(POLL_SECONDS)
    done(0.0)


def process_start() -> float:
    """Give the moment at which this process was started (CLOCK_BOOTTIME; to 10 ms)."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    ticks = int(fields[19])  # proc(5): starttime is field 22, and two stand before the bracket
    return ticks / os.sysconf("SC_CLK_TCK")
