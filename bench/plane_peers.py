"""The proxies that are compared, each as one worker in front of one backend."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

PROXY_CPU, LOAD_CPU = "0", "1"

PODWAY = """
import asyncio, gc, socket, sys
import uvloop
from podway_proxy import Endpoint, Forward, Listener, Plane, TcpFront

async def main(port, backend):
    plane = Plane()
    plane.attach(asyncio.get_running_loop())
    forward = Forward((Endpoint("127.0.0.1", backend),))
    front = TcpFront(plane, decide=lambda *_: forward, local=("127.0.0.1", port))
    listening = socket.create_server(("127.0.0.1", port), backlog=4096)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, int(sys.argv[3]))
    Listener(plane, listening, front.accept)
    gc.freeze()
    await asyncio.Event().wait()

uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
"""

# Not splice-auto: with it HAProxy 2.6 made no splice call here, but 25,000 recv and send.
HAPROXY = """
global
    nbthread 1
    maxconn 5000
    tune.pipesize 1048576
defaults
    mode tcp
    option splice-request
    option splice-response
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen bench
    bind 127.0.0.1:{port}{defer}
    server one 127.0.0.1:{backend}
"""

NGINX_STREAM = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; worker_processes 1; pid {folder}/stream.pid; error_log {folder}/stream.log crit;
events {{ worker_connections 20000; }}
stream {{
    access_log off;
    proxy_buffer_size 64k;
    server {{ listen 127.0.0.1:{port} backlog=4096; proxy_pass 127.0.0.1:{backend};
             proxy_timeout 1h; }}
}}
"""

NGINX_BACKEND = """
daemon off; worker_processes 1; pid {folder}/backend.pid; error_log {folder}/backend.log crit;
events {{ worker_connections 20000; }}
http {{
    access_log off; keepalive_requests 100000000;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{ listen 127.0.0.1:{port} backlog=4096;
             location / {{ return 200 "hello from a pod"; }} }}
}}
"""


class Peer(NamedTuple):
    """How to start one proxy: `command(folder, port, backend, client_first)`."""

    name: str
    command: Callable[[Path, int, int, bool], list[str]]


def podway(folder: Path, port: int, backend: int, client_first: bool) -> list[str]:
    """Write our relay's script; its command."""
    script = folder / "podway.py"
    script.write_text(PODWAY)
    return [sys.executable, str(script), str(port), str(backend), str(int(client_first))]


def haproxy(folder: Path, port: int, backend: int, client_first: bool) -> list[str]:
    """Write HAProxy's configuration; its command."""
    defer = " defer-accept" if client_first else ""
    path = folder / "haproxy.cfg"
    path.write_text(HAPROXY.format(port=port, backend=backend, defer=defer))
    return ["haproxy", "-q", "-db", "-f", str(path)]


def nginx_stream(folder: Path, port: int, backend: int, client_first: bool) -> list[str]:
    """Write nginx's stream configuration; its command (it has no deferred accept)."""
    path = folder / "stream.conf"
    path.write_text(NGINX_STREAM.format(port=port, backend=backend, folder=folder))
    return ["nginx", "-c", str(path), "-e", str(folder / "start.log")]


def nginx_backend(folder: Path, port: int) -> list[str]:
    """Write the configuration of the backend that answers; its command."""
    path = folder / "backend.conf"
    path.write_text(NGINX_BACKEND.format(port=port, folder=folder))
    return ["nginx", "-c", str(path), "-e", str(folder / "start.log")]


PEERS = (Peer("podway", podway), Peer("haproxy", haproxy), Peer("nginx", nginx_stream))


def free_port() -> int:
    """Give a port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int, cpu: str) -> Iterator[int]:
    """Run a server on one CPU until the block ends; its process id, once it listens."""
    child = subprocess.Popen(
        ["taskset", "-c", cpu, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            if time.monotonic() > deadline or child.poll() is not None:
                raise RuntimeError(f"{command[0]} does not listen on port {port}")
            time.sleep(0.02)
        yield child.pid
    finally:
        child.terminate()
        child.wait()


def family(pid: int) -> list[int]:
    """Give a process and its descendants (nginx works in a child)."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """Give the time on a CPU of a process, its threads and its children, in nanosecond steps."""
    total = 0
    for member in family(pid):
        for task in Path(f"/proc/{member}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def private_bytes(pid: int) -> int:
    """Give the memory that only these processes have."""
    total = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Private_Dirty", "Private_Clean")):
                total += int(line.split()[1]) * 1024
    return total
