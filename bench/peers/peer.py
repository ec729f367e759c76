"""What a proxy in the comparison is: how it is started in front of the pods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

HOST = "web.bench.test"
"""The host name that the HTTP modes route by."""


class Door(NamedTuple):
    """A port of the proxy's and the pod's port behind it, both on 127.0.0.1."""

    listen: int
    pod: int


class Setup(NamedTuple):
    """Where a proxy is to listen and to forward, and a folder of its own for its files."""

    folder: Path
    web: Door
    """To the pod that answers HTTP requests."""
    bulk: Door
    """To the source of bulk data; TCP only."""
    connections: int
    """Most client connections at once."""


class Launch(NamedTuple):
    """A command line, with what its environment has besides."""

    argv: list[str]
    env: Mapping[str, str] = {}


class Peer(NamedTuple):
    """One proxy; a mode that it does not have is None. A mode writes its files and is started."""

    name: str
    """As in the results and tables."""
    version: str
    tcp: Callable[[Setup], Launch] | None
    http: Callable[[Setup], Launch] | None

    def mode(self, name: str) -> Callable[[Setup], Launch] | None:
        """Give the mode `tcp` or `http`."""
        return self.tcp if name == "tcp" else self.http
