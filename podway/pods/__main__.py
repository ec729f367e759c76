"""`python -m podway.pods STATE-DIR`: serve the pods that standard input lists as JSON, for ever.

Started by `podway up`, which has read the Pod objects; so nothing here imports yaml, and the pods
listen a few milliseconds after they were started. It ends when its parent does (SIGTERM).
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from pathlib import Path

from podway.pods.answer import PodSpec
from podway.pods.server import PodServer, listeners, speak_http

TLS_DELAY = 0.7
"""Seconds by which the TLS side starts later: its imports would compete with the daemons' start."""


def read_pods(text: str) -> list[PodSpec]:
    """Read what `podway.lab.pods.as_json` wrote."""
    return [
        PodSpec(name, namespace, node, host, tuple((p, t) for p, t in ports), tuple(names))
        for name, namespace, node, host, ports, names in json.loads(text)
    ]


def main() -> int:
    """Serve until killed; 1 when a pod's address can't be listened on."""
    try:
        opened = listeners(read_pods(sys.stdin.read()))
    except OSError as error:
        sys.stderr.write(f"{error.strerror}\n")
        return 1
    server = PodServer()
    secure = [(pod, sock) for pod, tls, sock in opened if tls]
    for pod, tls, sock in opened:
        if not tls:
            server.add(sock, pod, speak_http)
    if secure:
        timer = threading.Timer(TLS_DELAY, _serve_tls, (server, secure, Path(sys.argv[1])))
        timer.daemon = True
        timer.start()
    server.run()
    return 0


def _serve_tls(server: PodServer, secure: list[tuple[PodSpec, socket.socket]], state: Path) -> None:
    from podway.pods.tls import serve_tls  # ssl and cryptography: 0.1 s of imports

    serve_tls(server, secure, state)


if __name__ == "__main__":
    sys.exit(main())
