"""`podway pods`: serve the Pods whose addresses this machine has, and no others.

In the containers' lab each Pod is a container with the address that its object says; all run this
same command. Objects are read once, at the start: a Pod that gets another address is another
container.
"""

from __future__ import annotations

import errno
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from podway.lab.plan import pods_as_json, pods_with_ports
from podway.pods.__main__ import read_pods
from podway.pods.answer import PodSpec
from podway.pods.server import PodServer, listen, listeners, speak_http

if TYPE_CHECKING:
    from podway.lab.ports import Address
    from podway_cluster import Snapshot

CANNOT_START = 3
"""Exit code: no Pod is ours, or its address is taken (the daemons' own code for it)."""


def serve_local(manifests: Sequence[Path], state: Path, admin: Address | None) -> int:
    """Serve until told to stop. `state` keeps the lab's CA; `admin` answers `/healthz/ready`."""
    from podway_cluster import load

    pods = local(load(manifests))
    if not pods:
        places = ", ".join(map(str, manifests))
        sys.stderr.write(f"podway pods: no Pod in {places} has an address of this machine\n")
        return CANNOT_START
    try:
        server = _server(pods, state, admin)
    except OSError as error:
        sys.stderr.write(f"podway pods: {error.strerror}\n")
        return CANNOT_START
    for pod in pods:
        ports = ", ".join(f"{pod.host}:{port}" for port, _ in pod.ports)
        sys.stderr.write(f"pod {pod.namespace}/{pod.name} listens on {ports}\n")
    # As a container's first process it would otherwise not be ended by SIGTERM.
    signal.signal(signal.SIGTERM, _end)
    server.run()
    return 0


def local(snapshot: Snapshot) -> list[PodSpec]:
    """Give the Pods that this machine can listen for."""
    everybody = read_pods(pods_as_json(pods_with_ports(snapshot), snapshot))
    return [pod for pod in everybody if is_ours(pod.host)]


def is_ours(host: str) -> bool:
    """Tell whether `host` is an address of this machine."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        try:
            sock.bind((host, 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return False
            raise
    return True


def _server(pods: Sequence[PodSpec], state: Path, admin: Address | None) -> PodServer:
    opened = listeners(pods)
    server = PodServer()
    secure = [(pod, sock) for pod, tls, sock in opened if tls]
    if secure:
        from podway.pods.tls import serve_tls  # ssl and cryptography: 0.1 s of imports

        serve_tls(server, secure, state)
    for pod, tls, sock in opened:
        if not tls:
            server.add(sock, pod, speak_http)
    if admin:  # last: whoever is answered there knows that the others are open
        server.add(listen(*admin), pods[0], speak_http)
    return server


def _end(number: int, _: object) -> NoReturn:
    sys.exit(0)
