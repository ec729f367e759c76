"""What `podway up` settles before it starts the first process: objects, ports, programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from podway.lab import ports as port
from podway.lab import state
from podway.lab.children import Command
from podway.lab.plan import Lab, UnfitError, read_lab

if TYPE_CHECKING:
    from podway_cluster import Snapshot


class Options(NamedTuple):
    """The command line of `podway up`."""

    manifests: Sequence[str] = ()
    http_port: int | None = None
    https_port: int | None = None
    dns_port: int | None = None
    state_dir: Path | None = None
    quiet: bool = False


class CannotStartError(Exception):
    """The lab can't run; the message says what, why and what to do."""


class Prepared(NamedTuple):
    """All that is known before the first process is started."""

    lab: Lab
    snapshot: Snapshot
    ports: port.Ports
    notes: tuple[str, ...]
    """Why a port is not the well-known one."""
    manifests: tuple[Path, ...]
    state: Path
    command: str = "podway"
    """How the user calls podway in a shell here."""


def prepare(options: Options) -> Prepared:
    """Read the objects and choose the ports.

    Raises `CannotStartError` or OSError, with messages for the user.
    """
    from podway_cluster import load

    directories = state.manifests(options.manifests)
    snapshot = load(directories)
    lab = _read(snapshot)
    ports, notes = choose_ports(lab, options)
    directory = (options.state_dir or state.default_directory()).absolute()
    return Prepared(lab, snapshot, ports, notes, directories, directory, how_to_call())


def _read(snapshot: Snapshot) -> Lab:
    try:
        return read_lab(snapshot)
    except UnfitError as error:
        problems = "".join(f"\n{problem}" for problem in snapshot.problems)
        raise CannotStartError(f"the objects are no lab:\n{error}{problems}") from None


def choose_ports(lab: Lab, options: Options) -> tuple[port.Ports, tuple[str, ...]]:
    """Give the ports that clients will use, and why those. Raises `CannotStartError`."""
    taken = port.first_taken(lab.fixed)
    if taken:
        raise CannotStartError(
            f"{taken}: a lab seems to be running on this machine already. Stop it first "
            "(Ctrl-C in its terminal): the lab's addresses are the same each time."
        )
    hosts = [address for balancer in lab.balancers for address in balancer.addresses]
    wanted = (
        (hosts, options.http_port, port.HTTP, False),
        (hosts, options.https_port, port.HTTPS, False),
        ([lab.dns], options.dns_port, port.DNS, True),
    )
    try:
        chosen = [
            port.choose(port.Wanted(where, (given,) if given else usual, udp))
            for where, given, usual, udp in wanted
        ]
    except port.TakenError as error:
        raise CannotStartError(
            f"{error}. Give another: --http-port, --https-port, --dns-port."
        ) from None
    return port.Ports(*(number for number, _ in chosen)), tuple(why for _, why in chosen if why)


def how_to_call() -> str:
    """Give the command to type: `podway` where PATH has it, else its file, as short as it gets."""
    for directory in os.get_exec_path():
        if os.access(os.path.join(directory, "podway"), os.X_OK):
            return "podway"
    beside = os.path.join(os.path.dirname(sys.executable), "podway")
    return min(beside, os.path.relpath(beside), key=len)


def runnable(command: Command) -> Command:
    """Replace the program's name by the file beside this interpreter, or `-m` by both."""
    first, *rest = command.arguments
    if first == "-m":
        return command._replace(arguments=[sys.executable, *command.arguments])
    beside = Path(sys.executable).with_name(first)
    if not beside.exists():
        raise CannotStartError(
            f"{first} is not installed beside {sys.executable}: install podway with its commands, "
            "as `make up` does"
        )
    return command._replace(arguments=[str(beside), *rest])
