"""`podway check`: everything that the daemons would report about some objects, in one run."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

from podway.decisions import decide
from podway_cluster import Snapshot, load
from podway_dns import names
from podway_dns.sources import build as zones
from podway_lb import compile as balancers
from podway_lb.options import Options as BalancerOptions

CLEAN = 0
PROBLEMS = 1
BALANCER = BalancerOptions("check", allow_loopback=True)
ZONES = zones.Settings(cluster=names.absolute("cluster.local"))


def check(directories: Sequence[Path]) -> int:
    """Print each problem as a line; 0 when there is none, 1 otherwise."""
    snapshot = load(directories)
    lines = problems(snapshot, datetime.datetime.now(datetime.UTC))
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stderr.write(summary(snapshot, len(lines)))
    return PROBLEMS if lines else CLEAN


def problems(snapshot: Snapshot, now: datetime.datetime | None = None) -> list[str]:
    """Give what the objects' reader, the routers, the balancers and dns find; each once. Pure.

    With `now` (a time with its zone) certificates that expire soon are among it.
    """
    found = [str(problem) for problem in snapshot.problems]
    for compilation in decide(snapshot, now).values():
        found.extend(compilation.compiled.problems)
        found.extend([compilation.compiled.why] if not compilation.compiled.ready else ())
    found.extend(balancers.compile_snapshot(snapshot, BALANCER).compiled.problems)
    if snapshot.dns:  # without a base domain no record belongs anywhere, and nobody means it to
        found.extend(zones.build(zones.Sources(snapshot), ZONES, {}, now=0).problems)
    return list(dict.fromkeys(found))


def summary(snapshot: Snapshot, count: int) -> str:
    """Say in a line what was looked at."""
    counts = [
        f"{len(objects)} {name}"
        for name, objects in (
            ("routes", snapshot.routes),
            ("services", snapshot.services),
            ("pods", snapshot.pods),
        )
    ]
    result = "nothing wrong" if not count else f"{count} problem{'s' if count > 1 else ''}"
    return f"{', '.join(counts)}: {result}\n"
