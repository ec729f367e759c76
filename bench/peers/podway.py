"""podway itself: the real daemons podway-lb and podway-router, one worker each, from manifests.

The lb sends no PROXY header here, because the other proxies send none. Loader and master are part
of what is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from bench.machine import free_port
from bench.peers.peer import EXTRAS, HOST, Certificate, Launch, Peer, Setup

Object = dict[str, Any]
SYSTEM_PYTHON = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
PARTS = ("proxy", "cluster", "dns", "lb", "router", "")
NO_COOKIES = {"haproxy.router.openshift.io/disable_cookies": "true"}
"""The other proxies set none either."""
COMMON = (
    *("--workers", "1", "--drain-wait", "0", "--drain-timeout", "0"),
    *("--log-level", "warning", "--log-format", "text", "--allow-loopback-endpoints"),
)


class Python(NamedTuple):
    """An interpreter that the proxies' user may run, with the search path that it needs."""

    path: str
    search: str
    version: str = ""

    @property
    def env(self) -> dict[str, str]:
        """Give what the environment has besides."""
        return {"PYTHONPATH": self.search, "PYTHONDONTWRITEBYTECODE": "1"}


def find(root: Path, user: str) -> Peer:
    """Give podway of this checkout."""
    python = interpreter(root, user)
    version = f"{_version(root)} on Python {python.version}"
    makes = {"tcp": tcp, "http": http, "tls": tls, "extras": extras}
    return Peer("podway", version, {mode: partial(make, python) for mode, make in makes.items()})


def interpreter(root: Path, user: str) -> Python:
    """Find an interpreter for the user: this one, else the system's with this one's packages.

    A virtual environment over a Python below /root is closed to everyone but root.
    """
    packages = next((path for path in sys.path if path.endswith("site-packages")), "")
    search = os.pathsep.join([str(root / part) for part in PARTS] + [packages])
    for path in (sys.executable, SYSTEM_PYTHON):
        python = Python(path, search)
        version = _version_of(python, user)
        if version:
            return python._replace(version=version)
    raise SystemExit(
        f"the user {user or 'of this process'} can run podway neither with {sys.executable} nor "
        f"with {SYSTEM_PYTHON}: put the checkout and Python where every user may read them"
    )


def _version_of(python: Python, user: str) -> str:
    """Give the interpreter's version if it runs podway for that user, else nothing."""
    program = "import platform, uvloop, httptools, podway_lb; print(platform.python_version())"
    try:
        done = subprocess.run(
            [python.path, "-c", program],
            capture_output=True,
            text=True,
            user=user or None,
            env={**os.environ, **python.env},
            check=False,
        )
    except PermissionError:
        return ""
    return done.stdout.strip()


def _version(root: Path) -> str:
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return metadata.version("podway")
    return f"{metadata.version('podway')} {done.stdout.strip()}"


def tcp(python: Python, setup: Setup) -> Launch:
    """Relay both ports with podway-lb."""
    doors = {"web": setup.web, "bulk": setup.bulk}
    ports = [
        {"name": name, "port": door.listen, "appProtocol": "http"} for name, door in doors.items()
    ]
    objects = [
        _object("v1", "Service", "bench", {"spec": _balanced(ports)}),
        *(_slice("bench", name, door.pod) for name, door in doors.items()),
    ]
    words = ("--name", "bench", "--proxy-protocol", "none")
    return _launch(python, "podway_lb", setup.folder, objects, words)


def http(python: Python, setup: Setup) -> Launch:
    """Route requests by host with podway-router."""
    return _router(python, setup, {"httpPort": setup.web.listen}, {}, NO_COOKIES)


def extras(python: Python, setup: Setup) -> Launch:
    """Route requests with a sticky cookie, as it does by default, and header actions."""
    answer = [_set(*each) for each in EXTRAS.answer.items()]
    answer.append({"name": EXTRAS.gone, "action": {"type": "Delete"}})
    actions = {"request": [_set(*each) for each in EXTRAS.request.items()], "response": answer}
    more = {"httpHeaders": {"actions": actions}}
    return _router(python, setup, {"httpPort": setup.web.listen}, more, {})


def _set(name: str, value: str) -> Object:
    return {"name": name, "action": {"type": "Set", "set": {"value": value}}}


def tls(python: Python, setup: Setup) -> Launch:
    """Do so for HTTPS."""
    more = {"tls": {"termination": "edge"}}
    return _router(python, setup, {"httpsPort": setup.web.listen}, more, NO_COOKIES)


def _router(
    python: Python, setup: Setup, port: Object, more: Object, annotations: Object
) -> Launch:
    ports = {
        "httpPort": free_port(),
        "httpsPort": free_port(),
        "statsPort": free_port(),
        "protocol": "TCP",
        **port,
    }
    strategy = {"type": "HostNetwork", "hostNetwork": ports}
    controller = {
        "domain": "bench.test",
        "endpointPublishingStrategy": strategy,
        "defaultCertificate": {"name": "bench"},
        "tlsSecurityProfile": {"type": "Modern"},
    }
    meta = {"name": "bench", "namespace": "bench", "annotations": annotations}
    route = {"host": HOST, "to": {"kind": "Service", "name": "bench", "weight": 100}, **more}
    service = {"ports": [{"name": "web", "port": 80, "targetPort": 8080}]}
    objects = [
        _object("operator.openshift.io/v1", "IngressController", "bench", {"spec": controller}),
        _object("route.openshift.io/v1", "Route", "bench", {"metadata": meta, "spec": route}),
        _object("v1", "Service", "bench", {"spec": service}),
        _secret(setup.certificate),
        _slice("bench", "web", setup.web.pod),
    ]
    words = ("--name", "bench", "--bind", "127.0.0.1")
    return _launch(python, "podway_router", setup.folder, objects, words)


def _balanced(ports: list[Object]) -> Object:
    return {"type": "LoadBalancer", "loadBalancerIP": "127.0.0.1", "ports": ports}


def _object(version: str, kind: str, name: str, rest: Object) -> Object:
    meta = {"name": name, "namespace": "bench"}
    if kind == "IngressController":
        meta["namespace"] = "openshift-ingress-operator"
    return {"apiVersion": version, "kind": kind, "metadata": meta, **rest}


def _secret(certificate: Certificate) -> Object:
    files = {"tls.crt": certificate.chain, "tls.key": certificate.key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "bench", "namespace": "openshift-ingress"},
        "stringData": {name: path.read_text() for name, path in files.items()},
    }


def _slice(service: str, port: str, number: int) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service}-{port}",
            "namespace": "bench",
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": [{"name": port, "port": number, "protocol": "TCP"}],
    }


def _launch(
    python: Python, package: str, folder: Path, objects: list[Object], words: tuple[str, ...]
) -> Launch:
    manifests = folder / "manifests"
    manifests.mkdir(exist_ok=True)
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    (manifests / "bench.json").write_text(text)
    program = f"from {package}.command import main; main()"
    options = ["--manifests", str(manifests), *words, *COMMON]
    return Launch([python.path, "-c", program, *options], python.env)
