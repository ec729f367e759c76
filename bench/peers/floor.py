"""The floor (see `bench.floor`) as a peer: shown on request only."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench.peers.peer import Door, Launch, Peer, Setup
from bench.peers.podway import Python, interpreter


def find(root: Path, user: str) -> Peer:
    """Give it, run by the interpreter that runs podway."""
    python = interpreter(root, user)
    return Peer(
        "floor", python.version, {"tcp": partial(tcp, python), "http": partial(http, python)}
    )


def tcp(python: Python, setup: Setup) -> Launch:
    """Relay the web port; it has no back-pressure, so bulk is not for it."""
    return _launch(python, "relay", setup.web)


def http(python: Python, setup: Setup) -> Launch:
    """Route requests by host, with forwarded headers."""
    return _launch(python, "requests", setup.web)


def _launch(python: Python, module: str, door: Door) -> Launch:
    ports = [str(port) for port in door]
    return Launch([python.path, "-m", f"bench.floor.{module}", *ports], python.env)
