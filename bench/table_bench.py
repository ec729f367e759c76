"""What many Routes cost: loading, memory, a look-up, and a change from the file to the answer.

`python -m bench.table_bench [--routes 100,1000,10000,50000] [--certificates 10000] [--changes 20]
[--write]` (or `make bench-table`): runs podway-router with one worker on as many Routes, each in a
file of its own, asks it over real sockets, and changes one file after another until requests arrive
at another pod. Rows of `--certificates` have Routes with a certificate each. `--write` puts the
table into router/README.md.
"""

from __future__ import annotations

import argparse
import http.client
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.table_site import Site, pods
from podway_router.decide import Tables
from podway_router.entry import RouteEntry, route_key

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "router" / "README.md"
BEGIN, END = "<!-- table: begin (make bench-table) -->\n", "<!-- table: end -->"
PATIENCE = 120.0
"""Seconds for a router to load, or for a change to be in force."""
PAUSE = 0.001
"""Seconds between two requests that look whether a change is in force."""


class Figures(NamedTuple):
    """One row."""

    routes: int
    certificates: bool
    load: float
    """Seconds from the start of the process to the first answer."""
    load_cpu: float
    """CPU seconds of the loader for it."""
    worker: float
    """MB resident."""
    loader: float
    find: float
    """Microseconds."""
    changes: list[float]
    """Milliseconds from the written file to the first request at the other pod."""
    change_cpu: float
    """CPU milliseconds of loader and worker per change."""


def main() -> None:
    """Measure and print; write if asked to."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--routes", default="100,1000,10000,50000", metavar="N,…")
    options.add_argument("--certificates", default="10000", metavar="N,…", help="may be empty")
    options.add_argument("--changes", type=int, default=20)
    options.add_argument("--write", action="store_true", help="put the table into router/README.md")
    given = options.parse_args()
    rows = [measure(count, given.changes) for count in _counts(given.routes)]
    rows += [measure(count, given.changes, True) for count in _counts(given.certificates)]
    table = "\n".join(report(rows)) + "\n"
    sys.stdout.write(table)
    if given.write:
        before, rest = README.read_text().split(BEGIN)
        README.write_text(before + BEGIN + table + END + rest.split(END)[1])


def _counts(text: str) -> list[int]:
    return [int(count) for count in text.split(",") if count]


def report(rows: list[Figures]) -> Iterator[str]:
    """Give the lines of the table."""
    yield (
        "| Routes | load (loader's CPU) | worker | loader | look-up "
        "| changed file in force: median, worst (CPU) |"
    )
    yield "|---|---|---|---|---|---|"
    for row in rows:
        median, worst = statistics.median(row.changes), max(row.changes)
        kind = ", a certificate each" if row.certificates else ""
        yield (
            f"| {row.routes:,}{kind} | {row.load:.1f} s ({row.load_cpu:.1f} s) "
            f"| {row.worker:.0f} MB | {row.loader:.0f} MB | {row.find:.1f} us "
            f"| {median:.0f} ms, {worst:.0f} ms ({row.change_cpu:.0f} ms) |"
        )


def measure(count: int, changes: int, certificates: bool = False) -> Figures:
    """Run a router with so many Routes."""
    folder = Path(tempfile.mkdtemp(prefix="podway-table-"))
    try:
        with pods() as (blue, green):
            site = Site(folder, count, blue, green, certificates)
            return _measure(site, folder, changes)._replace(certificates=certificates)
    finally:
        shutil.rmtree(folder)


def _measure(site: Site, folder: Path, changes: int) -> Figures:
    began = time.perf_counter()
    with router(site, folder):
        last = site.host(site.count - 1)
        _until("the last Route is served", lambda: ask(site.http, last) == b"blue")
        load = time.perf_counter() - began
        cpu = _gauge(site, "process_cpu_seconds_total", "loader")
        time.sleep(1.5)  # the watching begins half a second after the first snapshot
        changed, spent = _change(site, changes)
        return Figures(
            site.count,
            False,
            load,
            cpu,
            _gauge(site, "process_resident_memory_bytes", "worker 0") / 1e6,
            _gauge(site, "process_resident_memory_bytes", "loader") / 1e6,
            find_time(site),
            changed,
            spent,
        )


@contextmanager
def router(site: Site, folder: Path) -> Iterator[None]:
    """Run podway-router with one worker until the block ends."""
    command = [Path(sys.executable).with_name("podway-router"), "--name", "apps", "--workers", "1"]
    command += ["--manifests", site.folder, "--bind", "127.0.0.1", "--allow-loopback-endpoints"]
    command += ["--admin", f"127.0.0.1:{site.admin[1]}", "--drain-wait", "0"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def ask(where: tuple[str, int], host: str) -> bytes:
    """Send one request on a connection of its own; empty when nobody listens."""
    connection = http.client.HTTPConnection(*where, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().read()
    except OSError:
        return b""
    finally:
        connection.close()


def _change(site: Site, changes: int) -> tuple[list[float], float]:
    """Change one file after another; give the milliseconds of each, and the CPU of one."""
    before = _cpu(site)
    taken = []
    for number in random.Random(1).choices(range(site.count), k=changes):
        taken.append(_change_one(site, number))
        time.sleep(0.3)
    return taken, (_cpu(site) - before) * 1000 / changes


def _change_one(site: Site, number: int) -> float:
    host = site.host(number)
    wanted = b"green" if ask(site.http, host) == b"blue" else b"blue"
    began = time.perf_counter()
    site.route(number, wanted.decode())
    _until(f"{host} is at {wanted!r}", lambda: ask(site.http, host) == wanted)
    return (time.perf_counter() - began) * 1000


def _until(what: str, look: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > end:
            raise SystemExit(f"not within {PATIENCE:g} s: {what}")
        time.sleep(PAUSE)


def _cpu(site: Site) -> float:
    return sum(_gauge(site, "process_cpu_seconds_total", role) for role in ("loader", "worker 0"))


def _gauge(site: Site, name: str, role: str) -> float:
    connection = http.client.HTTPConnection(*site.admin, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(rf'{name}{{process="{role}"}} (\S+)', text)
    if found is None:
        raise SystemExit(f"no {name} of {role} in the metrics")
    return float(found[1])


def find_time(site: Site) -> float:
    """Give the microseconds that the tables take to find the Route of a request."""
    entries = [
        (
            route_key("apps", "shop", f"r{number}"),
            RouteEntry(site.host(number), "/", "", "", [], "random"),
        )
        for number in range(site.count)
    ]
    tables = Tables(entries)
    asked = [site.host(number) for number in random.Random(2).choices(range(site.count), k=1000)]

    def look() -> None:
        for host in asked:
            tables.http(host, b"/some/path")

    return min(timeit.repeat(look, number=5, repeat=5)) / 5 / len(asked) * 1e6


if __name__ == "__main__":
    main()
