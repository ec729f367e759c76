"""podway-dns beside dnsmasq, NSD, Knot and PowerDNS, one worker each, asked by dnsperf.

Per case (names in the zone, exact or wildcard): thousand queries/s at full load, the server's CPU
time per query, p99 at a fixed load, memory. All on one machine: ordering, not absolutes.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import dns_daemon
import dns_peers
from dns_peers import Peer

ORIGIN = "bench.test."
TICK = os.sysconf("SC_CLK_TCK")
LOAD = 10_000
"""Queries/s at which the p99 is taken: about a fifth of what the servers can do here."""


class Case(NamedTuple):
    """What the zone holds and what is asked."""

    name: str
    names: int
    wildcard: bool


CASES = (
    Case("1 name", 1, False),
    Case("100,000 names", 100_000, False),
    Case("wildcard", 1, True),
    Case("wildcard beside 100,000", 100_000, True),
)


class Figures(NamedTuple):
    """What was measured of one server in one case."""

    kqps: float
    cpu_us: float
    p99_ms: float
    rss_mb: float
    lost: float


def zone(case: Case) -> str:
    """Write the zone file: hosts, and a wildcard beside them."""
    lines = ["$ORIGIN bench.test.", "$TTL 300", "@ SOA ns hm 1 3600 600 86400 60", "@ NS ns"]
    lines += ["ns A 127.0.0.1", "*.apps A 10.0.0.1"]
    lines += [f"h{n} A 10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(case.names)]
    return "\n".join(lines) + "\n"


def addresses(case: Case) -> dict[str, str]:
    """Give the same for dnsmasq."""
    hosts = {
        f"h{n}.bench.test": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(case.names)
    }
    return {"ns.bench.test": "127.0.0.1", "*.apps.bench.test": "10.0.0.1", **hosts}


def questions(case: Case) -> str:
    """Give dnsperf's input: 20,000 questions, spread over what there is."""
    if case.wildcard:
        return "".join(f"w{n * 7919 % 1_000_003}.apps.bench.test A\n" for n in range(20_000))
    return "".join(f"h{n * 7919 % case.names}.bench.test A\n" for n in range(20_000))


@contextmanager
def podway(directory: Path, zone_file: Path) -> Iterator[Peer]:
    """Run podway-dns with one worker; the pid is the worker's."""
    option = f"bench.test={zone_file}"
    with dns_daemon.running(directory, "--zone-file", option, "--log-level", "error") as daemon:
        yield Peer("podway-dns", daemon.port, worker_of(daemon.process.pid))


def worker_of(master: int) -> int:
    """Find the worker among a master's children."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    for child in children:
        if b"worker" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise SystemExit(f"no worker below {master}")


def servers(
    directory: Path, zone_file: Path, case: Case
) -> dict[str, Callable[[], AbstractContextManager[Peer]]]:
    """Give the ways to start each server."""
    zones = {ORIGIN: zone_file}
    return {
        "podway-dns": lambda: podway(directory, zone_file),
        "dnsmasq": lambda: dns_peers.dnsmasq(directory, ORIGIN, addresses(case)),
        "nsd": lambda: dns_peers.nsd(directory, zones),
        "knot": lambda: dns_peers.knot(directory, zones),
        "powerdns": lambda: dns_peers.powerdns(directory, zones),
    }


def family(pid: int) -> list[int]:
    """Give a process and its descendants."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    children = path.read_text().split() if path.exists() else []
    return [pid, *(each for child in children for each in family(int(child)))]


def cpu(pid: int) -> float:
    """Give the CPU seconds that a server has used, its children's included."""
    total = 0.0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def rss(pid: int) -> float:
    """Give the private memory in MB (what children share with their parent counts once)."""
    total = 0
    for each in family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def dnsperf(port: int, questions_file: Path, seconds: float, *more: str) -> str:
    """Run dnsperf; give what it prints."""
    command = [dns_peers.tool("dnsperf"), "-s", "127.0.0.1", "-p", str(port)]
    command += ["-d", str(questions_file), "-l", str(seconds), "-c", "4", "-q", "128", *more]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def measure(peer: Peer, questions_file: Path, seconds: float) -> Figures:
    """Measure one server: warm up, full load, fixed load."""
    dnsperf(peer.port, questions_file, 0.5)
    before = cpu(peer.pid)
    text = dnsperf(peer.port, questions_file, seconds)
    used = cpu(peer.pid) - before
    done = int(_number(r"Queries completed:\s+(\d+)", text))
    if not done:
        raise SystemExit(f"{peer.name} answered nothing; is connection tracking full (dmesg)?")
    kqps = _number(r"Queries per second:\s+([\d.]+)", text) / 1000
    lost = int(_number(r"Queries lost:\s+(\d+)", text))
    calm = dnsperf(peer.port, questions_file, 1.5, "-v", "-Q", str(LOAD))
    latencies = [float(found) for found in re.findall(r"^> \w+ \S+ \S+ ([\d.]+)", calm, re.M)]
    p99 = statistics.quantiles(latencies, n=100)[98] * 1000 if len(latencies) > 100 else 0.0
    return Figures(kqps, used / done * 1e6, p99, rss(peer.pid), lost)


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def middle(rounds: list[Figures]) -> Figures:
    """Give the median of each figure."""
    return Figures(*(statistics.median(values) for values in zip(*rounds, strict=True)))


def run(case: Case, only: list[str], rounds: int, seconds: float) -> dict[str, Figures]:
    """Measure all servers in one case, in turns: what disturbs the machine disturbs them all."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        zone_file, questions_file = directory / "db.bench", directory / "questions"
        zone_file.write_text(zone(case))
        questions_file.write_text(questions(case))
        ways = servers(directory, zone_file, case)
        peers = [stack.enter_context(ways[each]()) for each in ways if not only or each in only]
        found: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
        for _ in range(rounds):
            for peer in peers:
                found[peer.name].append(measure(peer, questions_file, seconds))
    return {server: middle(figures) for server, figures in found.items()}


def main() -> None:
    """Run the cases and print a table each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of full load, per round")
    parser.add_argument("--rounds", type=int, default=3, help="the median of which is given")
    parser.add_argument("--only", nargs="*", default=[], help="servers")
    parser.add_argument("--case", nargs="*", help="cases, by number from 0")
    options = parser.parse_args()
    chosen = [CASES[int(n)] for n in options.case] if options.case else CASES
    for case in chosen:
        found = run(case, options.only, options.rounds, options.seconds)
        print(f"\n| {case.name} | kq/s | CPU us/query | p99 ms | MB | lost |")
        print("|---|---|---|---|---|---|")
        for server, one in found.items():
            print(
                f"| {server} | {one.kqps:.1f} | {one.cpu_us:.1f} | {one.p99_ms:.2f} "
                f"| {one.rss_mb:.0f} | {one.lost:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
