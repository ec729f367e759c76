"""`python -m podway.ready [ADDR:PORT]`: asks a daemon's admin port whether it is ready.

The health check of the containers: exit code 0 or 1, and the reason on standard output, where
`docker inspect` shows it. It runs every few seconds in each container, so it imports next to
nothing (30 ms in all, of which 20 are Python's own start).
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence

from podway.ask import HttpAnswer, exchange, request

SECONDS = 2.0
"""Longest wait for each step of the answer; the health check itself is given 3 s."""
READY = 0
NOT_READY = 1
USAGE = 2


def main(arguments: Sequence[str], environ: dict[str, str]) -> int:
    """Ask once; the address is the first argument, else `$PODWAY_ADMIN`."""
    place = arguments[0] if arguments else environ.get("PODWAY_ADMIN", "")
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal():
        sys.stdout.write(f"{place!r}: expected ADDR:PORT, as argument or in PODWAY_ADMIN\n")
        return USAGE
    try:
        answer = ask(host.strip("[]"), int(port))
    except OSError as error:
        sys.stdout.write(f"{place}: {error.strerror or error}\n")
        return NOT_READY
    sys.stdout.write(f"{answer.status} {answer.body.strip()}\n")
    return READY if answer.status == 200 else NOT_READY


def ask(host: str, port: int) -> HttpAnswer:
    """Get `/healthz/ready`. Raises OSError."""
    # Not create_connection: looking a host up loads the tables of international names (9 ms).
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.settimeout(SECONDS)
        sock.connect((host, port))
        return exchange(sock, request(host, "/healthz/ready", "*/*"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))
