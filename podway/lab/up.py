"""`podway up`: read the objects, choose the ports, start everything, say how to use it, wait."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from podway.lab import ports as port
from podway.lab import state
from podway.lab.children import Command
from podway.lab.first_answer import Probe, process_start
from podway.lab.plan import Lab, UnfitError, commands, pods_as_json, read_lab
from podway.lab.screen import Screen, has_colour
from podway.lab.session import Session

if TYPE_CHECKING:
    from podway_cluster import Snapshot

CANNOT_START = 3
"""Exit code: a port is taken, the objects do not fit, … (the daemons' own code for it)."""


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
    manifests: tuple[Path, ...]
    state: Path


def up(options: Options) -> int:
    """Run the lab until it is told to stop; give the exit code."""
    started = process_start()
    screen = Screen(sys.stdout, colour=has_colour(sys.stdout), quiet=options.quiet)
    try:
        prepared = prepare(options)
        with contextlib.closing(Session(screen)) as session:
            session.launch([runnable(one) for one in _commands(prepared)])
            return _run(session, screen, prepared, started)
    except (CannotStartError, UnfitError, OSError) as error:
        sys.stderr.write(f"podway up: {error}\n")
        return CANNOT_START


def _run(session: Session, screen: Screen, prepared: Prepared, started: float) -> int:
    _save(prepared)
    try:
        _greet(screen, prepared)
        _watch_for_answer(session, screen, prepared, started)
        return session.run()
    finally:
        state.forget(prepared.state)


def prepare(options: Options) -> Prepared:
    """Read the objects and choose the ports. Raises what `up` reports."""
    from podway_cluster import load

    directories = state.manifests(options.manifests)
    snapshot = load(directories)
    lab = read_lab(snapshot)
    directory = options.state_dir or state.default_directory()
    return Prepared(lab, snapshot, choose_ports(lab, options), directories, directory)


def choose_ports(lab: Lab, options: Options) -> port.Ports:
    """Give the ports that clients will use. Raises `CannotStartError`."""
    taken = port.first_taken(lab.fixed)
    if taken:
        raise CannotStartError(
            f"{taken}: another `podway up` seems to be running on this machine; "
            "stop it first (the lab's addresses are the same each time)"
        )
    addresses = [address for balancer in lab.balancers for address in balancer.addresses]
    wanted = (
        ("http-port", addresses, options.http_port, port.HTTP, False),
        ("https-port", addresses, options.https_port, port.HTTPS, False),
        ("dns-port", [lab.dns], options.dns_port, port.DNS, True),
    )
    try:
        chosen = [
            port.choose(port.Wanted(name, hosts, (given,) if given else usual, udp))
            for name, hosts, given, usual, udp in wanted
        ]
    except port.TakenError as error:
        raise CannotStartError(str(error)) from None
    return port.Ports(*chosen)


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


def _commands(prepared: Prepared) -> list[Command]:
    lab, snapshot, ports, manifests, directory = prepared
    return commands(lab, ports, manifests, directory, pods_as_json(lab, snapshot))


def _save(prepared: Prepared) -> None:
    where = (prepared.lab.dns, prepared.ports.dns)
    running = state.Running(os.getpid(), where, prepared.ports, prepared.manifests)
    state.save(prepared.state, running)


def _greet(screen: Screen, prepared: Prepared) -> None:
    from podway.lab.summary import port_lines

    lab = prepared.lab
    parts = (
        "dns",
        *(balancer.name for balancer in lab.balancers),
        *(f"router {router.node}" for router in lab.routers),
        f"{len(lab.pods)} pods",
    )
    screen.say(screen.paint("strong", "podway: the way from the internet to your pods"))
    screen.say(f"  objects  {', '.join(map(str, prepared.manifests))}")
    screen.say(f"  running  {', '.join(parts)}")
    screen.say(f"  ports    {', '.join(port_lines(prepared.ports))}")
    for problem in prepared.snapshot.problems:
        screen.say(f"  {screen.paint('warn', 'problem')}  {problem}")
    screen.say()


def _watch_for_answer(session: Session, screen: Screen, prepared: Prepared, started: float) -> None:
    from podway.lab.summary import hosts

    found = hosts(prepared.snapshot, prepared.ports)
    first = next((host for host in found if host.ready and not host.secure), None)
    if first is None:
        screen.say("no Route without TLS has a ready pod: nothing to ask for a first answer")
        return
    ports = prepared.ports
    lab = prepared.lab
    asked = [(router.address, three[2]) for router in lab.routers for _, three in lab.controllers]
    probe = Probe((lab.dns, ports.dns), first.name, first.path, ports.http, tuple(asked))

    def answered(at: float) -> None:
        session.post(lambda: tell(screen, prepared, at and at - started, probe.answered_by))

    probe.start(answered)


def tell(screen: Screen, prepared: Prepared, seconds: float, pod: str) -> None:
    """Say how long the first answer took, and everything that can be done now."""
    from podway.lab.summary import hosts, paste

    if not seconds:
        screen.say(screen.paint("bad", "no answer from the first Route yet: try `podway trace`"))
    else:
        text = f"first answer after {seconds * 1000:.0f} ms"
        screen.say(screen.paint("good", text) + f", from pod {pod or '(unnamed)'}")
    found = hosts(prepared.snapshot, prepared.ports)
    width = max((len(host.url) for host in found), default=0)
    screen.say()
    for host in found:
        tone = "dim" if host.ready else "warn"
        screen.say(f"  {host.url:<{width}}  {screen.paint(tone, host.leads_to)}")
    screen.say()
    for line in paste(prepared.lab, found, prepared.ports, prepared.state / "ca.pem"):
        screen.say(f"  {screen.paint('strong', line)}")
    screen.say()
    screen.say(screen.paint("dim", "A changed file in manifests/ applies at once. Ctrl-C ends."))
    screen.say()
