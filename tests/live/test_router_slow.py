"""slowhttptest against the router: slow clients are closed in time, and others do not notice.

Each attack lasts up to half a minute, so this is run apart (`make slow`).
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from http_rig import OK, Pod, PodConnection
from ingress_objects import controller, endpoints, route, service
from ingress_rig import PATIENCE, Daemon, Manifests, address, ask, free_port, until

pytestmark = [pytest.mark.live, pytest.mark.slow]

HOST = "a.apps.example.test"
CLIENT_TIMEOUT = 3
"""Seconds of the controller's clientTimeout."""
PROMPT = 3.0
"""Seconds in which a clean client has its answer, whatever goes on beside it (1 on a machine of
its own)."""
LARGE = 8_000_000
GROWTH = 64 << 20
"""Bytes that a worker may have grown by: a slow reader may have 256 KiB waiting for it
(`Limits.tail_bytes`), and malloc gives not all of it back to the system."""
Where = tuple[str, int]


def serve(connection: PodConnection) -> None:
    """Read bodies to their end; give the path /large more than sockets hold."""
    while head := connection.head():
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        connection.exactly(int(length[1]) if length else 0)
        if b"/large" in head:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE + bytes(LARGE))
        else:
            connection.send(OK)


class Attack(NamedTuple):
    """One run of slowhttptest."""

    options: str
    seconds: int
    """In which all of its connections must be closed: the time-out that ends them, and some
    seconds for 500 connections to be made and a busy machine."""
    tls: bool = False
    path: str = "/"
    routed: bool = True
    """It needs the Route's host; else an address does."""


ATTACKS = {
    "slow heads": Attack("-H -c 500 -r 250 -i 1 -x 24", 20),
    "slow heads inside TLS": Attack("-H -c 300 -r 100 -i 1 -x 24", 25, tls=True, routed=False),
    "slow bodies": Attack("-B -c 300 -r 150 -i 6 -s 8192 -x 8", 15),
    "overlapping ranges": Attack("-R -c 100 -r 100 -t GET -a 5 -b 500", 20),
}


READERS = Attack("-X -c 300 -r 150 -w 10 -y 20 -n 6 -z 1", 60, path="/large")
"""It does not notice that it was cut off: unread bytes are in its sockets still."""


class Scene:
    """A router, and what its worker holds."""

    def __init__(self, router: Daemon, http: Where, https: Where) -> None:
        self.router, self.http, self.https = router, http, https
        (self.worker,) = router.pids("worker")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.worker}/fd"))

    def memory(self) -> int:
        pages = int(Path(f"/proc/{self.worker}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    (tmp_path / "manifests").mkdir()
    manifests, host = Manifests(tmp_path / "manifests"), address()
    http, https = (host, free_port(host)), (host, free_port(host))
    pod = Pod(serve)
    tuning = {"clientTimeout": f"{CLIENT_TIMEOUT}s"}
    manifests.put(
        "site",
        controller("apps", http[1], https[1], tuningOptions=tuning),
        *(service("web"), endpoints("web", (pod.endpoint.host, pod.endpoint.port))),
        route("a", HOST, "web"),
    )
    usual = ("--name", "apps", "--bind", host, "--allow-loopback-endpoints")
    state = ("--state-dir", str(tmp_path / "state"))
    with Daemon("podway-router", manifests, *usual, *state, workers=1) as router:
        yield Scene(router, http, https)
    pod.close()


class Beside:
    """A clean client: asks all the time, on a kept connection and on new ones in turn."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self.slowest = 0.0
        self.answers = 0
        self.faults: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.closing(http.client.HTTPConnection(*self.where, timeout=PATIENCE)) as kept:
            while not self._over.wait(0.02):
                self._ask(kept)
                with contextlib.closing(
                    http.client.HTTPConnection(*self.where, timeout=PATIENCE)
                ) as fresh:
                    self._ask(fresh)

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        began = time.monotonic()
        try:
            status = ask(connection, HOST)[0]
        except (OSError, http.client.HTTPException) as error:
            self.faults.append(repr(error))
            connection.close()
            return
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers += status == 200
        if status != 200:
            self.faults.append(str(status))


def run(attack: Attack, scene: Scene, folder: Path) -> str:
    """Run slowhttptest; it ends by itself when all of its connections are closed."""
    ended = subprocess.run(
        command(attack, scene, folder), capture_output=True, text=True, timeout=120
    )
    return re.sub(r"\x1b\[[0-9;]*[a-zA-Z]", "", ended.stdout)


def command(attack: Attack, scene: Scene, folder: Path) -> list[str]:
    program = shutil.which("slowhttptest")
    assert program, "slowhttptest is not installed: sudo apt-get install slowhttptest"
    where = scene.https if attack.tls else scene.http
    proxy = f"{where[0]}:{where[1]}"
    url = f"{'https' if attack.tls else 'http'}://{HOST if attack.routed else proxy}{attack.path}"
    words = [program, *attack.options.split(), "-u", url, "-l", str(attack.seconds), "-p", "3"]
    return [*words, "-g", "-o", str(folder / "slow"), *(("-d", proxy) if attack.routed else ())]


@pytest.mark.parametrize("name", ATTACKS)
def test_slow_connections_are_closed_in_time(name: str, scene: Scene, tmp_path: Path) -> None:
    before, memory = scene.descriptors(), scene.memory()
    with Beside(scene.http) as clean:
        said = run(ATTACKS[name], scene, tmp_path)
    assert "No open connections left" in said, said[-1500:]
    assert clean.faults == []
    assert clean.answers > 20
    assert clean.slowest < PROMPT
    # At most a few connections to the pod are kept.
    until("descriptors are back", lambda: scene.descriptors() <= before + 8)
    assert scene.memory() - memory < GROWTH
    assert scene.router.pids("worker") == [scene.worker]


def test_slow_readers_are_cut_with_bounded_memory(scene: Scene, tmp_path: Path) -> None:
    before, memory = scene.descriptors(), scene.memory()
    with Beside(scene.http) as clean:
        reading = subprocess.Popen(command(READERS, scene, tmp_path), stdout=subprocess.DEVNULL)
        try:
            until("they have come", lambda: scene.descriptors() > before + 200)
            until("all are cut", lambda: scene.descriptors() <= before + 8)
            assert reading.poll() is None, "and not because they left"
        finally:
            reading.terminate()
            reading.wait(PATIENCE)
    assert clean.faults == []
    assert clean.slowest < PROMPT
    assert scene.memory() - memory < GROWTH
