"""A tiny daemon for the tests of the processes: it answers each line with its pid and an entry."""

from __future__ import annotations

import sys

from podway_proxy.process import command
from podway_proxy.process.daemon import Daemon


def main() -> int:
    parser = command.parser("echo", "Answers lines.")
    parser.option("--file", required=True, metavar="FILE", help="JSON: entries, listeners, probes")
    options = parser.parse_args()
    return command.run(Daemon("podway-echo", "test", "echo_loader", "echo_worker"), options)


if __name__ == "__main__":
    sys.exit(main())
