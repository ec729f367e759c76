"""podway-dns as a daemon of its own on loopback, for live tests."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

from dns_peers import free_port

COMMAND = str(Path(sys.executable).parent / "podway-dns")
LAB = Path(__file__).parents[1] / "manifests" / "lab"


class Daemon(NamedTuple):
    """A running podway-dns."""

    host: str
    port: int
    admin: int
    process: subprocess.Popen[bytes]
    log: Path

    def page(self, path: str) -> str:
        """Fetch a page of the admin port."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=5) as page:
            return str(page.read().decode())

    def metric(self, name: str) -> float:
        """Read one metric, `podway_dns_queries_total{transport="udp"}`."""
        for line in self.page("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0


def wait_until(check: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Poll until `check()` is true."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.005)


def _ready(daemon: Daemon) -> bool:
    assert daemon.process.poll() is None, daemon.log.read_text()
    try:
        return daemon.page("/healthz/ready").startswith("ready")
    except (URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def running(
    directory: Path, *options: str, workers: int = 1, host: str = "127.0.0.1"
) -> Iterator[Daemon]:
    """Run podway-dns until the block ends; it must end cleanly."""
    port, admin = free_port(), free_port()
    log = directory / f"dns-{port}.log"
    command = [COMMAND, "--listen", f"{host}:{port}", "--admin", f"127.0.0.1:{admin}"]
    command += ["--workers", str(workers), "--drain-wait", "0", *options]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    daemon = Daemon("127.0.0.1", port, admin, process, log)
    try:
        wait_until(lambda: _ready(daemon), f"ready: {' '.join(command)}", 60)
        yield daemon
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
