"""The `podway` command: up, check, get, trace, … Each imports only what it needs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Run = Callable[[argparse.Namespace], int]
"""Carries out a subcommand; gives the exit code."""

CLEAN = 0
CANNOT_START = 3
INTERRUPTED = 130
_PORT_MOST = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; give its exit code."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (a pager, `head`) has seen enough; what Python would still flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    except FileNotFoundError as error:
        sys.stderr.write(f"podway: {error}\n")
        return CANNOT_START
    return code


def parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    made = argparse.ArgumentParser(
        prog="podway",
        description="The way from the internet to your pods, in userspace.",
        epilog="The daemons are commands of their own: podway-dns, podway-lb, podway-router.",
        allow_abbrev=False,
    )
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    _add_up(commands)
    _add_check(commands)
    _add_get(commands)
    _add_trace(commands)
    _add_pods(commands)
    _add_guide(commands)
    return made


def _add(
    commands: Commands, name: str, run: Run, what: str, description: str | None = None
) -> argparse.ArgumentParser:
    """Add a subcommand that `run` carries out; `what` is its line in the list of all."""
    made = commands.add_parser(name, help=what, description=description)
    made.set_defaults(run=run)
    return made


def _add_up(commands: Commands) -> None:
    made = _add(
        commands,
        "up",
        _up,
        "run the whole lab in this terminal: dns, load balancers, routers, pods",
        "Run the whole lab in this terminal until Ctrl-C. No root needed: where ports "
        "80, 443 and 53 can't be had, 8080, 8443 and 5353 are used.",
    )
    _add_manifests(made, "read these in place of manifests/apps and manifests/lab (repeatable)")
    _add_ports(made, "{} port to use")
    _add_state(made)
    made.add_argument("--quiet", action="store_true", help="show only what is wrong")


def _add_check(commands: Commands) -> None:
    made = _add(
        commands,
        "check",
        _check,
        "say what is wrong with some objects, file and line",
        "Load every *.yaml, *.yml and *.json below each DIR and print what is wrong, "
        "as file:line: kind namespace/name: field: message. Exit code 0: nothing, 1: something.",
    )
    made.add_argument("dirs", nargs="+", metavar="DIR")


def _add_get(commands: Commands) -> None:
    what = "show routes, services, endpoints, pods or controllers as the routers see them"
    made = _add(commands, "get", _get, what)
    made.add_argument("kind", choices=("routes", "services", "endpoints", "pods", "controllers"))
    _add_manifests(made, "read these (default: the running lab's, else manifests/*)")
    _add_state(made)
    made.add_argument("-n", "--namespace", default="", help="only this namespace")
    made.add_argument("-o", "--output", choices=("table", "json", "yaml"), default="table")


def _add_trace(commands: Commands) -> None:
    made = _add(
        commands,
        "trace",
        _trace,
        "walk the way of a URL, DNS to pod, and say what happens at each step and why",
        "Walk the way of a URL against the running lab. Exit code 0: a pod answered.",
    )
    made.add_argument("url", metavar="URL", help="http://host/path, https://host or just host")
    _add_manifests(made, "objects to explain with (default: the running lab's, else manifests/*)")
    _add_state(made)
    made.add_argument("--dns", metavar="ADDR[:PORT]", help="name server to ask (the lab's)")
    made.add_argument("--lb", metavar="ADDR[:PORT]", help="connect there and leave DNS out")


def _add_pods(commands: Commands) -> None:
    made = _add(
        commands,
        "pods",
        _pods,
        "serve the Pods whose addresses this machine has (in the containers' lab)",
        "Serve the Pods whose podIP this machine has, until told to stop: small HTTP "
        "servers, TLS where the container's port is named https.",
    )
    _add_manifests(made, _USUAL)
    _add_state(made)
    given, text = os.environ.get("PODWAY_ADMIN"), "answer /healthz/ready there ($PODWAY_ADMIN)"
    made.add_argument("--admin", type=_address, default=given, metavar="ADDR:PORT", help=text)


def _add_guide(commands: Commands) -> None:
    made = _add(
        commands,
        "guide",
        _guide,
        "wait for the first answer of a lab in containers and print lines to paste",
        "Wait until the first Route is answered, then print lines that work on the "
        "host. Exit code 0: answered, 1: not.",
    )
    _add_manifests(made, _USUAL)
    text = "where the load balancers are published on the host (default: 127.0.0.1)"
    made.add_argument("--published", default="127.0.0.1", metavar="ADDR,…", help=text)
    _add_ports(made, "published {} port (default: {})", {"http": 80, "https": 443, "dns": 53})
    made.add_argument("--ca", default="cat ca.pem", metavar="COMMAND", help="prints the lab's CA")
    text = "runs a command on the clients' network"
    made.add_argument("--client", default="", metavar="COMMAND", help=text)


_USUAL = "objects to read (repeatable; default: the usual ones)"


def _add_manifests(made: argparse.ArgumentParser, text: str) -> None:
    made.add_argument("--manifests", action="append", default=[], metavar="DIR", help=text)


def _add_ports(
    made: argparse.ArgumentParser, text: str, usual: Mapping[str, int] = MappingProxyType({})
) -> None:
    for name in ("http", "https", "dns"):
        port = usual.get(name)
        says = text.format(name, port)
        made.add_argument(f"--{name}-port", type=_port, default=port, metavar="N", help=says)


def _add_state(made: argparse.ArgumentParser) -> None:
    text = "what the lab keeps (default: $XDG_STATE_HOME/podway, ~/.local/state/podway)"
    made.add_argument("--state-dir", type=Path, metavar="DIR", help=text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= _PORT_MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a port from 1 to {_PORT_MOST}")
    return int(text)


def _address(text: str) -> tuple[str, int]:
    from podway_proxy.process import address

    try:
        return address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _up(options: argparse.Namespace) -> int:
    from podway.lab.prepare import Options
    from podway.lab.up import up

    return up(
        Options(
            manifests=options.manifests,
            http_port=options.http_port,
            https_port=options.https_port,
            dns_port=options.dns_port,
            state_dir=options.state_dir,
            quiet=options.quiet,
        )
    )


def _check(options: argparse.Namespace) -> int:
    from podway.check import check
    from podway.lab.state import manifests

    return check(manifests(options.dirs))


def _get(options: argparse.Namespace) -> int:
    from podway.get import Options, get

    directories = _objects(options)
    return get(Options(options.kind, directories, options.namespace, options.output))


def _trace(options: argparse.Namespace) -> int:
    from podway.trace.command import Options, trace

    return trace(
        Options(
            url=options.url,
            manifests=_objects(options),
            state_dir=options.state_dir,
            dns=options.dns,
            lb=options.lb,
        )
    )


def _pods(options: argparse.Namespace) -> int:
    from podway.lab import state
    from podway.pods.local import serve_local

    kept = options.state_dir or state.default_directory()
    return serve_local(state.manifests(options.manifests), kept, options.admin)


def _guide(options: argparse.Namespace) -> int:
    from podway.guide import Options, guide
    from podway.lab.ports import Ports
    from podway.lab.state import manifests

    return guide(
        Options(
            manifests=manifests(options.manifests),
            published=tuple(options.published.split(",")),
            ports=Ports(options.http_port, options.https_port, options.dns_port),
            ca=options.ca,
            client=options.client,
        )
    )


def _objects(options: argparse.Namespace) -> tuple[Path, ...]:
    """Give the directories to read: those given, else the running lab's, else the usual ones."""
    from podway.lab import state

    running = state.load(options.state_dir or state.default_directory())
    if running is not None and not options.manifests:
        return running.manifests
    return state.manifests(options.manifests)


if __name__ == "__main__":
    sys.exit(main())
