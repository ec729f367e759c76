"""The clients of TLS: many short connections that resume a session, and one long download."""

from __future__ import annotations

import re
import ssl
import subprocess
import time
from typing import NamedTuple

from bench.loads.wrk import LoadError
from bench.peers.nginx import BIG
from bench.peers.peer import HOST

WANTED = f"/ HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nX-Rest: of the line,"
"""What s_time puts between `GET ` and ` HTTP/1.0`."""
CLIENTS = 4


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


def resume(port: int, seconds: int) -> Done:
    """Connect and ask once, again and again with the session before; raises LoadError.

    Several `openssl s_time` at once: a client in Python leaves a proxy waiting, and cold.
    """
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-reuse", "-www", WANTED]
    command += ["-time", str(seconds)]
    begun = time.monotonic()
    clients = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(CLIENTS)
    ]
    units = sum(resumed(client.communicate()[0]) for client in clients)
    if not units:
        raise LoadError(f"no session was resumed in {seconds} s")
    return Done(units, time.monotonic() - begun)


def resumed(text: str) -> int:
    """Read from what s_time prints how many connections there were; raises LoadError.

    It prints a letter for each, `r` where the session was resumed.
    """
    found = re.search(r"starting\n(r*)\n.*?(\d+) connections in \d+ real seconds", text, re.DOTALL)
    if found is None or len(found[1]) != int(found[2]):
        raise LoadError(f"sessions were not resumed: {text[-500:]}")
    return int(found[2])


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
