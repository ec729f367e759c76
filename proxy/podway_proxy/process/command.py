"""The command line that all daemons share, and the way from it into the master.

Every option can also be given by an environment variable: `--drain-wait` is `PODWAY_DRAIN_WAIT`;
several values are separated by commas. The command line wins.

    parser = command.parser("podway-lb", "Balances TCP connections ...")
    parser.option("--name", required=True, metavar="NAME", help="which of the pair this is")
    options = parser.parse_args()
    return command.run(Daemon("podway-lb", options.name, "podway_lb.loader", "podway_lb.worker"),
                       options)
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from podway_proxy.log import FORMATS, LEVELS
from podway_proxy.process import address

if TYPE_CHECKING:
    from podway_proxy.process.daemon import Daemon, LoaderApp

CLEAN: Final = 0
PROBLEMS: Final = 1
"""`--check` found problems."""
USAGE: Final = 2
"""What argparse exits with."""
CANNOT_START: Final = 3
"""Port taken, no permission, no such controller, …"""
_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("", "0", "false", "no", "off")
MOST_WORKERS: Final = 64
LONGEST_SECONDS: Final = 86_400


class Parser(argparse.ArgumentParser):
    """An argument parser whose options can also be given by environment variables."""

    def __init__(self, prog: str, description: str, environ: Mapping[str, str]) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog="Each option can be given as an environment variable too: --drain-wait is "
            "PODWAY_DRAIN_WAIT; several values are separated by commas.",
            allow_abbrev=False,
        )
        self._environ = environ
        self._defaults_of: dict[str, tuple[argparse.Action, Any, bool]] = {}

    def option(
        self, flag: str, *, default: Any = None, required: bool = False, **settings: Any
    ) -> None:
        """Add an option: argparse's `add_argument`, with its environment variable.

        `action="append"` gives a list; its default is an empty list unless one is given.
        `type` is a function of one text that raises ValueError with a finished message.
        """
        if settings.get("action") == "append" and default is None:
            default = []
        if settings.get("action") == "store_true":
            default = bool(default)
        if "type" in settings:
            settings["type"] = _said(settings["type"])
        action = self.add_argument(flag, default=argparse.SUPPRESS, **settings)
        self._defaults_of[action.dest] = (action, default, required)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; fill what is not given from the environment, then from the defaults."""
        options = super().parse_args(args, namespace)
        for dest, (action, default, required) in self._defaults_of.items():
            if hasattr(options, dest):
                continue
            text = self._environ.get(variable(action.option_strings[0]))
            if text is None and required:
                self.error(f"the following argument is required: {action.option_strings[0]}")
            setattr(options, dest, default if text is None else self._from_text(action, text))
        return options

    def _from_text(self, action: argparse.Action, text: str) -> Any:
        name = variable(action.option_strings[0])
        if action.nargs == 0:
            if text.lower() not in _TRUE + _FALSE:
                self.error(f"{name}: {text!r}: expected 1 or 0")
            return text.lower() in _TRUE
        if isinstance(action, argparse._AppendAction):
            return [self._one(name, action, part.strip()) for part in text.split(",") if part]
        return self._one(name, action, text)

    def _one(self, name: str, action: argparse.Action, text: str) -> Any:
        try:
            value = action.type(text) if callable(action.type) else text
        except (ValueError, argparse.ArgumentTypeError) as error:
            self.error(f"{name}: {error}")
        if action.choices is not None and value not in action.choices:
            self.error(f"{name}: {text!r}: expected one of {', '.join(action.choices)}")
        return value


def variable(flag: str) -> str:
    """Give an option's environment variable: `--drain-wait` is `PODWAY_DRAIN_WAIT`."""
    return "PODWAY_" + flag.lstrip("-").replace("-", "_").upper()


def parser(prog: str, description: str, environ: Mapping[str, str] | None = None) -> Parser:
    """Make a parser with the options that all daemons have (DESIGN.md "The command line")."""
    made = Parser(prog, description, os.environ if environ is None else environ)
    _add_common(made)
    _add_process(made)
    return made


def _add_common(made: Parser) -> None:
    made.option(
        "--manifests",
        action="append",
        metavar="DIR",
        help="read every *.yaml, *.yml and *.json below DIR, and follow changes (repeatable)",
    )
    made.option(
        "--check",
        action="store_true",
        help="load, print what is wrong, exit 0 (nothing) or 1 (problems)",
    )
    made.option(
        "--admin",
        type=address.parse,
        metavar="ADDR:PORT",
        help="serve /healthz, /healthz/ready, /metrics and /debug/ there",
    )
    made.option(
        "--log-format",
        choices=FORMATS,
        help="default: text on a terminal, json elsewhere",
    )
    made.option("--log-level", choices=LEVELS, default="info", help="default: info")


def _add_process(made: Parser) -> None:
    made.option(
        "--workers",
        type=_workers,
        default=cores(),
        metavar="N",
        help="worker processes; default: the cores (%(default)s)".replace(
            "%(default)s", str(cores())
        ),
    )
    made.option("--user", metavar="NAME", help="give up root for this user after the start")
    made.option("--state-dir", metavar="DIR", help="where what must outlive the daemon is kept")
    made.option(
        "--drain-wait",
        type=seconds,
        default=5.0,
        metavar="SECONDS",
        help="after SIGTERM: not ready, but still accepting, for so long; default: 5",
    )
    made.option(
        "--drain-timeout",
        type=seconds,
        default=20.0,
        metavar="SECONDS",
        help="then connections may finish for so long; default: 20",
    )


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0))


def run(daemon: Daemon, options: Namespace) -> int:
    """Do what the options ask for: `--check`, or be the master until told to stop.

    Gives the exit code: 0 clean, 1 problems found by `--check`, 3 could not start.
    """
    values = dict(vars(options))
    if values["check"]:
        return check(daemon, values)
    from podway_proxy.process.master import start  # --help and --check do without it

    return start(daemon, values)


def check(daemon: Daemon, options: dict[str, Any]) -> int:
    """Load once in this process; print each problem as one line."""
    import importlib

    from podway_proxy.process.daemon import CannotStart

    try:
        app: LoaderApp[Any] = importlib.import_module(daemon.loader).build(options, None)
        problems = app.check()
    except CannotStart as error:
        problems = (str(error),)
    for line in problems:
        sys.stdout.write(f"{line}\n")
    return PROBLEMS if problems else CLEAN


def _said(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let argparse print the reader's own message in place of `invalid parse value`."""

    def wrapped(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return wrapped


def _workers(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST_WORKERS:
        raise ValueError(f"{text!r}: expected a number from 1 to {MOST_WORKERS}")
    return int(text)


def seconds(text: str) -> float:
    """Parse an option's time in seconds. Raises ValueError saying what was expected."""
    value = float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII) else -1.0
    if not 0 <= value <= LONGEST_SECONDS:
        raise ValueError(f"{text!r}: expected seconds from 0 to {LONGEST_SECONDS}, as 5 or 0.5")
    return value
