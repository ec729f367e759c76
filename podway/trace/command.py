"""The command `podway trace`: finds the lab, walks, and prints the steps as they happen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from podway.lab import state
from podway.lab.plan import DNS_SERVICE
from podway.lab.ports import DNS, HTTP, HTTPS, Ports, refusal
from podway.lab.screen import Screen, has_colour
from podway.trace.step import Step, read_address, read_target
from podway.trace.walk import Way, walk
from podway_cluster import Snapshot, load

ANSWERED = 0
NOT_ANSWERED = 1
USAGE = 2
_WIDTH = 14


class Options(NamedTuple):
    """The command line of `podway trace`."""

    url: str
    manifests: Sequence[Path]
    state_dir: Path | None = None
    dns: str | None = None
    lb: str | None = None


def trace(options: Options) -> int:
    """Walk and print; 0 if a pod answered, 1 if not, 2 for a URL or address that is none."""
    try:
        way = read_way(options)
    except ValueError as error:
        sys.stderr.write(f"podway trace: {error}\n")
        return USAGE
    screen = Screen(sys.stdout, colour=has_colour(sys.stdout))
    steps: list[Step] = []
    for step in walk(way):
        show(screen, step)
        steps.append(step)
    if steps and steps[-1].ok and steps[-1].name == "pod":
        return ANSWERED
    end = ending(steps)
    if end is not None:
        screen.say()
        screen.say(screen.paint("bad", f"The way ends at: {end.name}."))
        screen.say(end.advice)
    return NOT_ANSWERED


def ending(steps: Sequence[Step]) -> Step | None:
    """Give the step at which the way ends: the last that failed, if any did."""
    return next((step for step in reversed(steps) if not step.ok), steps[-1] if steps else None)


def read_way(options: Options) -> Way:
    """Put together where to begin. Raises ValueError for what can't be read."""
    running = state.load(options.state_dir or state.default_directory())
    snapshot = load(options.manifests)
    ports = running.ports if running else guess_ports(snapshot)
    dns = running.dns if running else (_dns_address(snapshot), ports.dns)
    return Way(
        read_target(options.url),
        snapshot,
        read_address(options.dns, 53) if options.dns else dns,
        ports,
        read_address(options.lb, 0) if options.lb else None,
    )


def guess_ports(snapshot: Snapshot) -> Ports:
    """Find out on which of its usual ports a lab of another user listens."""
    dns = _dns_address(snapshot)
    first = (ip for each in snapshot.services.values() for ip in each.load_balancer_ips)
    lb = next(first, dns)
    return Ports(_taken(lb, HTTP), _taken(lb, HTTPS), _taken(dns, DNS))


def _taken(host: str, candidates: Sequence[int]) -> int:
    """Give the first candidate on which somebody listens, else the last.

    Of another machine this can't be seen from here; there it is the well-known one.
    """
    words = ("taken", "no address of this machine")
    for port in candidates:
        reason = refusal(host, port)
        if any(each in reason for each in words):
            return port
    return candidates[-1]


def _dns_address(snapshot: Snapshot) -> str:
    service = snapshot.services.get(DNS_SERVICE)
    return service.cluster_ips[0] if service and service.cluster_ips else "127.0.0.1"


def show(screen: Screen, step: Step) -> None:
    """Print a step: a mark, its name, what happened, and the details below."""
    mark = screen.paint("good", "ok") if step.ok else screen.paint("bad", "--")
    screen.say(f"{mark} {screen.paint('strong', f'{step.name:<{_WIDTH}}')}{step.text}")
    for line in step.details:
        if line:
            screen.say(" " * (_WIDTH + 3) + screen.paint("dim", line))
