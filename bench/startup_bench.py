"""How soon the lab answers, and what its processes import until then.

`python bench/startup_bench.py [--runs 5] [--write]`: starts `podway up` over and over, each time
when the machine is idle, and reads what it says about its first answer; then sums up
`-X importtime` of each kind of process. `--write` puts the table into the README.
"""

from __future__ import annotations

import argparse
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- startup: begin -->\n", "<!-- startup: end -->"
IDLE = 0.95
IDLE_WAIT = 60.0
LISTED = 3

PROCESSES = {
    "`podway up`": "podway.command, podway.lab.up, podway_cluster",
    "master": "podway_lb.command, podway_proxy.process.master",
    "lb loader": "podway_proxy.process.loader, podway_lb.loader",
    "lb worker": "podway_proxy.process.worker, podway_lb.worker",
    "router loader": "podway_proxy.process.loader, podway_router.loader",
    "router worker": "podway_proxy.process.worker, podway_router.worker",
    "dns loader": "podway_proxy.process.loader, podway_dns.loader",
    "dns worker": "podway_proxy.process.worker, podway_dns.worker",
    "pods": "podway.pods.__main__",
}
"""Kind of process -> the modules that it imports before it serves."""


def main() -> None:
    """Measure and print; write if asked to."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--write", action="store_true", help="put the table into the README")
    given = options.parse_args()
    table = "\n".join(report(given.runs)) + "\n"
    sys.stdout.write(table)
    if given.write:
        readme = ROOT / "README.md"
        before, rest = readme.read_text().split(BEGIN)
        readme.write_text(before + BEGIN + table + END + rest.split(END)[1])


def report(runs: int) -> list[str]:
    """Give the lines of the table."""
    times = [start_lab() for _ in range(runs)]
    first, everything = zip(*times, strict=True)
    lines = ["| Lab | median (best) |", "|---|---|"]
    lines += [f"| first answer | {_median(first)} |", f"| all parts up | {_median(everything)} |"]
    lines += ["", "| Process | imports (`-X importtime`) | most of it |", "|---|---|---|"]
    for name, modules in PROCESSES.items():
        total, most = import_times(modules)
        lines.append(f"| {name} | {total:.0f} ms | {', '.join(most)} |")
    return lines


def start_lab() -> tuple[float, float]:
    """Run a lab once; give the milliseconds to its first answer and until all parts are up."""
    wait_for_idle()
    with tempfile.TemporaryDirectory() as state:
        command = [Path(sys.executable).with_name("podway"), "up", "--state-dir", state]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            said = ""
            for line in process.stdout:
                said += line
                if "Ctrl-C ends" in line:
                    break
            process.send_signal(signal.SIGINT)
            said += process.stdout.read()
    found = re.findall(r"(?:first answer|all up) after (\d+) ms", said)
    if len(found) != 2:
        raise SystemExit(f"the lab did not come up:\n{said}")
    return float(found[0]), float(found[1])


def import_times(modules: str) -> tuple[float, list[str]]:
    """Give the milliseconds of the imports (best of five) and the largest of them."""
    best: tuple[float, list[str]] = (float("inf"), [])
    for _ in range(5):
        wait_for_idle()
        run = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", f"import {modules}"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        best = min(best, _sum_up(run.stderr))
    return best


def _sum_up(text: str) -> tuple[float, list[str]]:
    """Sum by top-level package what each module took itself."""
    spent: dict[str, float] = {}
    for line in text.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and parts[0].strip().isdigit():
            package = parts[2].strip().partition(".")[0]
            spent[package] = spent.get(package, 0.0) + int(parts[0]) / 1000
    largest = sorted(spent, key=lambda package: -spent[package])[:LISTED]
    return sum(spent.values()), [f"{package} {spent[package]:.0f}" for package in largest]


def wait_for_idle() -> None:
    """Wait until the machine does nothing else, or a minute has passed."""
    end = time.monotonic() + IDLE_WAIT
    while time.monotonic() < end:
        before = _ticks()
        time.sleep(0.2)
        after = _ticks()
        if (after[0] - before[0]) / max(1, after[1] - before[1]) > IDLE:
            return
    sys.stderr.write("the machine is not idle: the figures are too large\n")


def _ticks() -> tuple[int, int]:
    """Give (idle, all) clock ticks of all processors since boot."""
    values = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return values[3] + values[4], sum(values)


def _median(values: tuple[float, ...]) -> str:
    return f"{statistics.median(values):.0f} ms ({min(values):.0f})"


if __name__ == "__main__":
    main()
