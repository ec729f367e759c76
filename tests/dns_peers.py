"""Other name servers from Debian, started on loopback with the same zone files as ours."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PACKAGES = {
    "nsd": "nsd",
    "nsd-checkzone": "nsd",
    "knotd": "knot",
    "kdig": "knot-dnsutils",
    "dnsperf": "dnsperf",
    "dnsmasq": "dnsmasq-base",
    "pdns_server": "pdns-server",
    "dig": "bind9-dnsutils",
}


def tool(name: str) -> str:
    """Find a program, or fail with the package that has it."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert path, f"{name} is not installed: sudo apt-get install {PACKAGES[name]}"
    return path


def free_port(host: str = "127.0.0.1") -> int:
    """Find a port that is free for UDP and TCP now."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            stream.bind((host, 0))
            port: int = stream.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
                try:
                    datagram.bind((host, port))
                except OSError:
                    continue
                return port
    raise AssertionError("no port is free for both UDP and TCP")


class Peer(NamedTuple):
    """A running server."""

    name: str
    port: int
    pid: int


def ask(
    port: int, message: bytes, *, host: str = "127.0.0.1", timeout: float = 2.0
) -> bytes | None:
    """Send one UDP query; None if no answer comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect((host, port))
        try:
            sock.send(message)
            return sock.recv(65_535)
        except (TimeoutError, ConnectionError, PermissionError):
            # EPERM: the kernel's connection tracking is full (where Docker has switched it on).
            return None


def _wait(port: int, process: subprocess.Popen[bytes], log: Path, origin: str) -> None:
    labels = origin.rstrip(".").split(".")
    name = b"".join(bytes((len(one),)) + one.encode() for one in labels) + b"\0"
    query = b"\0\1\0\0\0\1\0\0\0\0\0\0" + name + b"\0\6\0\1"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        reply = ask(port, query, timeout=0.2)
        if reply is not None and reply[3] & 15 == 0:
            return
        assert process.poll() is None, f"ended at its start: {log.read_text()}"
        time.sleep(0.02)
    raise AssertionError(f"does not answer: {log.read_text()}")


@contextmanager
def running(
    name: str, command: list[str], port: int, directory: Path, origin: str
) -> Iterator[Peer]:
    log = directory / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=directory)
    try:
        _wait(port, process, log, origin)
        yield Peer(name, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def nsd(directory: Path, zones: Mapping[str, Path]) -> Iterator[Peer]:
    """Run NSD with one server process."""
    port = free_port()
    config = directory / "nsd.conf"
    text = f"""server:
  ip-address: 127.0.0.1
  port: {port}
  server-count: 1
  username: ""
  database: ""
  zonesdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd"
  zonelistfile: "{directory}/zonelist"
  xfrdir: "{directory}"
  rrl-ratelimit: 0
  minimal-responses: yes
  hide-version: yes
remote-control:
  control-enable: no
"""
    for origin, path in zones.items():
        text += f'zone:\n  name: "{origin}"\n  zonefile: "{path}"\n'
    config.write_text(text)
    command = [tool("nsd"), "-d", "-c", str(config)]
    with running("nsd", command, port, directory, next(iter(zones))) as peer:
        yield peer


@contextmanager
def knot(directory: Path, zones: Mapping[str, Path]) -> Iterator[Peer]:
    """Run Knot with one worker of each kind."""
    port = free_port()
    config = directory / "knot.conf"
    text = f"""server:
  listen: 127.0.0.1@{port}
  rundir: {directory}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: {directory}/knotdb
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: {directory}
    semantic-checks: off
    zonefile-sync: -1
    journal-content: none
zone:
"""
    for origin, path in zones.items():
        text += f"  - domain: {origin}\n    file: {path}\n"
    config.write_text(text)
    (directory / "knotdb").mkdir(exist_ok=True)
    command = [tool("knotd"), "-c", str(config)]
    with running("knot", command, port, directory, next(iter(zones))) as peer:
        yield peer


@contextmanager
def dnsmasq(directory: Path, origin: str, addresses: Mapping[str, str]) -> Iterator[Peer]:
    """Run dnsmasq; an address for a name that begins with `*.` covers the domain behind it."""
    port = free_port()
    config = directory / "dnsmasq.conf"
    lines = [
        f"port={port}", "listen-address=127.0.0.1", "bind-interfaces", "no-resolv", "no-hosts",
        "no-daemon", "user=root", f"local=/{origin.rstrip('.')}/", "log-facility=-",
    ]  # fmt: skip
    hosts = directory / "hosts"
    hosts.write_text("".join(f"{a} {n}\n" for n, a in addresses.items() if n[0] != "*"))
    lines.append(f"addn-hosts={hosts}")
    for name, address in addresses.items():
        if name.startswith("*."):
            lines.append(f"address=/{name[2:]}/{address}")
    config.write_text("\n".join(lines) + "\n")
    command = [tool("dnsmasq"), "-k", "-C", str(config)]
    first = next(iter(addresses)).replace("*", "first")
    with running("dnsmasq", command, port, directory, first) as peer:
        yield peer


@contextmanager
def powerdns(directory: Path, zones: Mapping[str, Path]) -> Iterator[Peer]:
    """Run the PowerDNS authoritative server with its BIND backend, one receiver and distributor."""
    port = free_port()
    named = directory / "named.conf"
    named.write_text(
        "".join(
            f'zone "{origin.rstrip(".")}" {{ type master; file "{path}"; }};\n'
            for origin, path in zones.items()
        )
    )
    command = [
        tool("pdns_server"), "--daemon=no", "--guardian=no", "--launch=bind",
        f"--bind-config={named}", f"--local-port={port}", "--local-address=127.0.0.1",
        f"--socket-dir={directory}", f"--config-dir={directory}", "--receiver-threads=1",
        "--distributor-threads=1", "--loglevel=3", "--disable-syslog=yes",
    ]  # fmt: skip
    with running("powerdns", command, port, directory, next(iter(zones))) as peer:
        yield peer
