"""`podway check`: everything that the daemons would report about some objects, in one run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from podway.decisions import decide
from podway_cluster import Snapshot, load

CLEAN = 0
PROBLEMS = 1


def check(directories: Sequence[Path]) -> int:
    """Print each problem as a line; 0 when there is none, 1 otherwise."""
    snapshot = load(directories)
    lines = problems(snapshot)
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stderr.write(summary(snapshot, len(lines)))
    return PROBLEMS if lines else CLEAN


def problems(snapshot: Snapshot) -> list[str]:
    """Give what the objects' reader, the routers, the balancers and dns find; each once. Pure."""
    found = [str(problem) for problem in snapshot.problems]
    for compilation in decide(snapshot).values():
        found.extend(compilation.compiled.problems)
        found.extend([compilation.compiled.why] if not compilation.compiled.ready else ())
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
