"""The proxies that are compared, podway first, HAProxy (the yardstick) next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.peers import caddy, envoy, haproxy, nginx, podway, traefik
from bench.peers.peer import Peer

ROOT = Path(__file__).resolve().parents[2]
PEERS_VENV = ROOT / ".venv-peers"
"""Where `make bench` installs the peers that come from PyPI."""


def installed(venv: Path = PEERS_VENV, user: str = "") -> Iterator[Peer]:
    """Give those that this machine has; podway is run as `user` (empty: as the caller)."""
    yield podway.find(ROOT, user)
    yield from haproxy.find(venv)
    for module in (nginx, envoy, traefik, caddy):
        peer = module.find(venv)
        if peer is not None:
            yield peer
