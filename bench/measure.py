"""What a proxy used: processor time and memory of its process and everything that it started."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


class Cpu(NamedTuple):
    """Seconds on a processor."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.user + self.system

    def since(self, before: Cpu) -> Cpu:
        """Give what was used in between."""
        return Cpu(self.user - before.user, self.system - before.system)

    def per(self, units: float, scale: float) -> dict[str, float]:
        """Give the sample's fields `cpu`, `user`, `system` for that many units of work."""
        parts = {"cpu": self.total, "user": self.user, "system": self.system}
        return {name: seconds / units * scale for name, seconds in parts.items()}


def family(pid: int) -> list[int]:
    """Give a process and all its descendants (nginx and podway work in children)."""
    found = [pid]
    with contextlib.suppress(FileNotFoundError):  # it ended while we looked
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def cpu(pid: int) -> Cpu:
    """Sum up user and system time, all threads included (proc(5), stat fields 14 and 15)."""
    user = system = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        user += int(fields[11])
        system += int(fields[12])
    return Cpu(user / TICKS, system / TICKS)


def memory(pid: int) -> int:
    """Sum up the proportional set size in bytes: shared pages count once, the kernel's not."""
    return sum(_proportional(member) for member in family(pid))


def _proportional(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
