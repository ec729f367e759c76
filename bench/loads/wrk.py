"""HTTP requests from wrk: over kept connections, or a connection for each."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from bench.peers import program
from bench.peers.peer import HOST

CONNECTIONS = 32
HEADERS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Cookie: session=abcdef0123456789; theme=dark",
    f"Referer: http://{HOST}/",
)
"""What a browser sends; with Host, and the X-Request-Id that the script adds, eight fields."""
SCRIPT = Path(__file__).with_name("vary.lua")
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


class LoadError(RuntimeError):
    """A load did not get what it asked for; the figures would mean nothing."""


class Asked(NamedTuple):
    """What a run of wrk saw; latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float


def ask(port: int, seconds: int, close: bool, scheme: str = "http") -> Asked:
    """Ask for so long; raises LoadError when an answer is not 200."""
    binary = program.find("wrk")
    if binary is None:
        raise SystemExit("bench needs wrk; on Debian 12: sudo apt-get install wrk")
    headers = [f"Host: {HOST}", *HEADERS, *(["Connection: close"] if close else [])]
    fields = [part for header in headers for part in ("-H", header)]
    shape = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(SCRIPT)]
    command = [binary, *shape, *fields, f"{scheme}://127.0.0.1:{port}/"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return read(done.stdout + done.stderr)


def read(text: str) -> Asked:
    """Read what wrk prints; raises LoadError."""
    found = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", text)
    if found is None or found[1] == "0" or "Non-2xx" in text:
        raise LoadError(f"wrk did not get its answers:\n{text}")
    seconds = float(found[2]) * MILLISECONDS[found[3]] / 1e3
    return Asked(int(found[1]), seconds, _latency(text, 50), _latency(text, 99))


def _latency(text: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", text)
    return float(found[1]) * MILLISECONDS[found[2]] if found else 0.0
