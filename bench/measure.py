"""What a proxy used: processor time and memory of its process and everything that it started."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


class Cpu(NamedTuple):
    """Seconds on a processor: the sum to the nanosecond, the parts in ticks of 10 ms."""

    total: float
    user: float
    system: float

    def since(self, before: Cpu) -> Cpu:
        """Give what was used in between."""
        return Cpu(*(now - then for now, then in zip(self, before, strict=True)))

    def per(self, units: float, scale: float) -> dict[str, float]:
        """Give the sample's fields `cpu`, `user`, `system` for that many units of work."""
        each = self.total / units * scale
        share = self.user / ((self.user + self.system) or 1.0)
        return {"cpu": each, "user": each * share, "system": each * (1 - share)}


def family(pid: int) -> list[int]:
    """Give a process and all its descendants (nginx and podway work in children)."""
    found = [pid]
    with contextlib.suppress(FileNotFoundError):  # it ended while we looked
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def cpu(pid: int) -> Cpu:
    """Sum up the time of all threads of a process and its descendants (proc(5))."""
    total = user = system = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        user += int(fields[11])
        system += int(fields[12])
        for task in Path(f"/proc/{member}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return Cpu(total / 1e9, user / TICKS, system / TICKS)


def memory(pid: int) -> int:
    """Sum up the proportional set size in bytes: shared pages count once, the kernel's not."""
    return sum(_proportional(member) for member in family(pid))


def _proportional(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
