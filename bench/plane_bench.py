"""The relay against HAProxy (tcp mode, splice) and nginx (stream): CPU time per unit of work.

One worker each, the proxy on CPU 0, load and backend on CPU 1, everything over 127.0.0.1. What
counts is the proxy's own CPU time (schedstat), so a busy machine costs precision, not fairness;
peers take turns, and the median of the rounds is reported (the least flatters whoever had one
quiet moment).

    python bench/plane_bench.py [--rounds 3] [--json FILE] [--only bulk,connections,...]
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from plane_peers import (
    LOAD_CPU,
    PEERS,
    PROXY_CPU,
    Peer,
    cpu_seconds,
    free_port,
    nginx_backend,
    private_bytes,
    running,
)

BULK_BYTES = 2_000_000_000
BULK_FLOWS = 4
IDLE = 2_000
UNITS = {
    "bulk": "CPU-s per GB, 4 flows",
    "connections": "CPU us per request, a connection each",
    "keep-alive": "CPU us per request, 32 connections",
    "memory": "bytes of user space per idle connection",
}
GOALS = {"bulk": 0.6, "connections": 1.1, "keep-alive": 1.0}
"""At most this part of HAProxy's figure."""

SOURCE = """
import os, socket, sys, threading
def serve(sock):
    block, left = bytes(1 << 20), int(sock.recv(20))
    while left > 0:
        left -= sock.send(block[: min(left, 1 << 20)])
    sock.close()
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    sock, _ = listening.accept()
    threading.Thread(target=serve, args=(sock,), daemon=True).start()
"""

SINK = """
import socket, sys, threading
port, flows, size = map(int, sys.argv[1:])
buffer = bytearray(1 << 20)
def take():
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.send(str(size).encode().ljust(20))
        left = size
        while left > 0:
            got = sock.recv_into(buffer, 1 << 20, socket.MSG_TRUNC)
            if not got:
                sys.exit("short")
            left -= got
threads = [threading.Thread(target=take) for _ in range(flows)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def bulk(pid: int, port: int) -> float:
    """Move BULK_BYTES from the backend in a few flows; CPU seconds per GB."""
    before = cpu_seconds(pid)
    size = str(BULK_BYTES // BULK_FLOWS)
    load("python3", "-c", SINK, str(port), str(BULK_FLOWS), size)
    return (cpu_seconds(pid) - before) / (BULK_BYTES / 1e9)


def connections(pid: int, port: int) -> float:
    """Make a connection for each request; CPU microseconds per request."""
    return per_request(pid, port, "-H", "Connection: close")


def keep_alive(pid: int, port: int) -> float:
    """Ask again and again over kept connections; CPU microseconds per request."""
    return per_request(pid, port)


def per_request(pid: int, port: int, *options: str) -> float:
    """Have wrk ask for three seconds; CPU microseconds per request."""
    before = cpu_seconds(pid)
    seen = load("wrk", "-t1", "-c32", "-d3s", *options, f"http://127.0.0.1:{port}/")
    match = re.search(r"(\d+) requests in", seen)
    if match is None:
        raise RuntimeError(f"wrk says: {seen}")
    return (cpu_seconds(pid) - before) / int(match[1]) * 1e6


def memory(pid: int, port: int) -> float:
    """Hold connections that have been used once; bytes of each."""
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    before = private_bytes(pid)
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(IDLE)]
    for sock in socks:
        sock.sendall(request)
    for sock in socks:
        sock.recv(1000)
    used = private_bytes(pid) - before
    for sock in socks:
        sock.close()
    return used / IDLE


def load(*command: str) -> str:
    """Run a load generator on its CPU; what it prints."""
    done = subprocess.run(
        ["taskset", "-c", LOAD_CPU, *command], capture_output=True, text=True, check=True
    )
    return done.stdout


MEASURES: dict[str, Callable[[int, int], float]] = {
    "bulk": bulk,
    "connections": connections,
    "keep-alive": keep_alive,
    "memory": memory,
}


def measure(peer: Peer, what: str, folder: Path) -> float:
    """Start backend and proxy afresh and measure once."""
    backend, port = free_port(), free_port()
    serve = (
        ["python3", "-c", SOURCE, str(backend)]
        if what == "bulk"
        else nginx_backend(folder, backend)
    )
    with running(serve, backend, LOAD_CPU):
        command = peer.command(folder, port, backend, what != "bulk")
        with running(command, port, PROXY_CPU) as pid:
            return MEASURES[what](pid, port)


def table(figures: dict[str, dict[str, float]]) -> str:
    """Lay the figures out as text."""
    lines = [f"{'':44}" + "".join(f"{peer.name:>10}" for peer in PEERS) + "   to haproxy   goal"]
    for what, row in figures.items():
        cells = "".join(f"{row[peer.name]:10.3g}" for peer in PEERS)
        part = row["podway"] / row["haproxy"]
        goal = f"{GOALS[what]:7.2f}" if what in GOALS else ""
        lines.append(f"{UNITS[what]:44}{cells}{part:13.2f}{goal}")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and write the figures as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(MEASURES))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for what in options.only.split(","):
            rounds = [
                {peer.name: measure(peer, what, Path(name)) for peer in PEERS}
                for _ in range(options.rounds)
            ]
            figures[what] = {
                peer.name: statistics.median(seen[peer.name] for seen in rounds) for peer in PEERS
            }
    print(table(figures))
    text = json.dumps(figures, indent=2)
    if options.json is None:
        print(text)
    else:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
