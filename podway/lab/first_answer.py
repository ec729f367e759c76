"""Asks for a page, the whole way from its name, until the first answer comes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

POLL_SECONDS = 0.005
GIVE_UP_SECONDS = 20.0


class Probe:
    """Where to begin, and what to ask for."""

    def __init__(
        self,
        dns: tuple[str, int],
        host: str,
        path: str,
        port: int,
        ready: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.dns = dns
        self._ready = ready
        self.host = host
        self.path = path
        self.port = port
        self.answered_by = ""
        """The pod's own words for itself (its X-Pod header), once it has answered."""

    def router_is_ready(self) -> bool:
        """Tell whether any router says so on its statsPort, or there is none to ask.

        The balancers take connections before the routers do; asking them too early would fill
        the screen with failures that are none.
        """
        from podway.ask import exchange, request

        for address in self._ready:
            try:
                with socket.create_connection(address, timeout=1.0) as sock:
                    answer = exchange(sock, request(address[0], "/healthz/ready", "*/*"))
            except OSError:
                continue  # not there yet; the next router may be
            if answer.status == 200:
                return True
        return not self._ready

    def try_once(self) -> bool:
        """Resolve, connect, ask; True when a pod answered. Raises OSError where the way ends."""
        from podway.ask import exchange, request
        from podway.resolve import resolve

        addresses = resolve(self.dns, self.host, timeout=0.5).addresses
        if not addresses:
            return False
        authority = self.host if self.port == 80 else f"{self.host}:{self.port}"
        with socket.create_connection((addresses[0], self.port), timeout=2.0) as sock:
            answer = exchange(sock, request(authority, self.path, "text/plain"))
        self.answered_by = answer.headers.get("x-pod", "")
        return answer.status == 200

    def run(self, done: Callable[[float], None]) -> None:
        """Try until it works; then call `done` with the time (CLOCK_BOOTTIME), or with 0.0."""
        end = time.monotonic() + GIVE_UP_SECONDS
        ready = False
        while time.monotonic() < end:
            # Refused and reset are what a way says of which some part is not there yet.
            with contextlib.suppress(OSError):
                ready = ready or self.router_is_ready()
                if ready and self.try_once():
                    done(time.clock_gettime(time.CLOCK_BOOTTIME))
                    return
            time.sleep(POLL_SECONDS)
        done(0.0)

    def start(self, done: Callable[[float], None]) -> None:
        """Run in a thread of its own."""
        threading.Thread(target=self.run, args=(done,), name="first answer", daemon=True).start()


def process_start() -> float:
    """Give the moment at which this process was started (CLOCK_BOOTTIME; to 10 ms)."""
    import os

    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    ticks = int(fields[19])  # proc(5): starttime is field 22, and two stand before the bracket
    return ticks / os.sysconf("SC_CLK_TCK")
