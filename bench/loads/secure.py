"""The clients of TLS: many short connections that resume a session, and one long download."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from typing import NamedTuple

from bench.loads.wrk import LoadError
from bench.peers.nginx import BIG
from bench.peers.peer import HOST

REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
PATIENCE = 20.0


class Done(NamedTuple):
    """How many there were, in how many seconds."""

    units: int
    seconds: float


def context() -> ssl.SSLContext:
    """Give a client's context that takes any certificate, TLS 1.3 alone."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    return made


def resume(port: int, seconds: float) -> Done:
    """Connect and ask once, again and again with the session before; raises LoadError."""
    secure = context()
    session = _ask(secure, port, None)
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        session = _ask(secure, port, session)
        count += 1
    return Done(count, time.monotonic() - begun)


def _ask(
    secure: ssl.SSLContext, port: int, session: ssl.SSLSession | None
) -> ssl.SSLSession | None:
    plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with secure.wrap_socket(plain, server_hostname=HOST, session=session) as sock:
        if session is not None and not sock.session_reused:
            raise LoadError("a session was not resumed")
        sock.sendall(REQUEST)
        answer = sock.recv(65_536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise LoadError(f"expected the pod's page, got {answer[:200]!r}")
        return sock.session


def download(port: int, size: int) -> Done:
    """Take the pod's long answer, with AES-128, which every proxy has; raises LoadError."""
    command = ["curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code} %{size_download}"]
    command += ["--tls13-ciphers", "TLS_AES_128_GCM_SHA256"]
    command += ["--connect-to", f"{HOST}:443:127.0.0.1:{port}", f"https://{HOST}{BIG}"]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stdout != f"200 {size}":
        raise LoadError(f"{size} bytes were expected, curl says {done.stdout} {done.stderr}")
    return Done(size, time.monotonic() - begun)
