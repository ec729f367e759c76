"""The pods' TLS side, started in the background so that no HTTP answer waits for it."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from podway.pods.answer import PodSpec
from podway.pods.certificates import authority
from podway.pods.http import serve
from podway.pods.server import PodServer

HANDSHAKE_SECONDS = 10.0


def serve_tls(
    server: PodServer, opened: Sequence[tuple[PodSpec, socket.socket]], state: Path
) -> None:
    """Make the pods' certificates, then serve their listeners (clients wait in the queue)."""
    try:
        ca = authority(state)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"no TLS: the lab's CA can't be had: {error}\n")
        return
    contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
    for pod, sock in opened:
        names = pod.names or (f"{pod.name}.{pod.namespace}",)
        if names not in contexts:
            contexts[names] = ca.context(names)
        server.add(sock, pod, SpeakTls(contexts[names]))


class SpeakTls:
    """Shakes hands, then serves HTTP over it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def __call__(self, sock: socket.socket, pod: PodSpec) -> None:
        """Serve one connection. Raises OSError when the handshake fails or takes too long."""
        idle = sock.gettimeout()
        sock.settimeout(HANDSHAKE_SECONDS)
        wrapped = self._context.wrap_socket(sock, server_side=True)
        wrapped.settimeout(idle)
        serve(wrapped, pod, tls=wrapped.version() or "")
