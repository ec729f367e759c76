"""CPU per request of podway's HTTP engine beside HAProxy and nginx, one worker each.

`python bench/http_bench.py [--seconds 4]`: each proxy stands in turn between wrk and one nginx
that answers a small page; what is compared is the proxy's own CPU time (user + system, from
/proc/<pid>/stat) per request. Two loads: keep-alive, and a new client connection per request.
HAProxy keeps endpoint connections, but does not use a kept one for a client's first request
(`http-reuse safe`, its default); nginx keeps 64.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HEADERS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Cookie: session=abcdef0123456789; theme=dark",
    "X-Request-Id: 0123456789abcdef",
    "Referer: http://web.apps.lab.example.test/",
)
TICKS = os.sysconf("SC_CLK_TCK")

HAPROXY = """
global
  nbthread 1
  maxconn 2000
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
  timeout http-request 10s
  timeout http-keep-alive 300s
frontend f
  bind 127.0.0.1:{port}
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto http
  http-request set-header Forwarded for=%[src];host=%[req.hdr(host)];proto=http
  use_backend b if {{ req.hdr(host),host_only -m str a }}
backend b
  server s 127.0.0.1:{upstream}
"""

NGINX = """
worker_processes 1;
daemon off;
pid {directory}/{name}.pid;
error_log {directory}/{name}.err;
events {{ worker_connections 2000; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  {body}
}}
"""
SERVE = 'server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 "{page}"; }} }}'
PROXY = """
  upstream b {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port} backlog=1024; server_name a;
    location / {{ proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Proto http;
      proxy_set_header Forwarded "for=$remote_addr;host=$http_host;proto=http"; }} }}
"""


def free_port() -> int:
    """Give a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def cpu(pid: int) -> float:
    """User and system seconds of a process and of its children (nginx's worker)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / TICKS
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu(int(child)) for child in children)


@contextlib.contextmanager
def running(port: int, *command: str) -> Iterator[int]:
    """Run a proxy until it listens; stop it afterwards. Gives its process id."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit(f"{command[0]} does not listen on {port}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def load(port: int, pid: int, seconds: float, close: bool) -> tuple[float, float]:
    """Give (requests per second, CPU microseconds per request)."""
    headers = ["Host: a", *HEADERS, *(["Connection: close"] if close else [])]
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s", f"http://127.0.0.1:{port}/some/path?q=1"]
    command[3:3] = [part for header in headers for part in ("-H", header)]
    before = cpu(pid)
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu(pid) - before
    done = re.search(r"(\d+) requests in ([\d.]+)s", out)
    if done is None or "Non-2xx" in out:
        raise SystemExit(f"wrk did not get its answers:\n{out}")
    return int(done[1]) / float(done[2]), used / int(done[1]) * 1e6


def serve(port: int, upstream: int) -> None:
    """Run one podway worker: a plane and an HttpFront, nothing else."""
    import gc

    import uvloop

    from podway_proxy.http.front import HttpFront
    from podway_proxy.http.target import Target
    from podway_proxy.plane.listener import Listener
    from podway_proxy.plane.plane import Plane
    from podway_proxy.values import Endpoint

    endpoints = (Endpoint("127.0.0.1", upstream),)

    async def main() -> None:
        plane = Plane()
        plane.attach(asyncio.get_running_loop())
        front = HttpFront(plane, route=lambda request, arrival: Target(endpoints))
        sock = socket.create_server(("127.0.0.1", port), backlog=1024)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        Listener(plane, sock, front.accept)
        gc.freeze()
        await asyncio.Event().wait()

    uvloop.run(main())


def proxies(directory: Path, upstream: int) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Give (name, port, command) of each proxy."""
    port = free_port()
    yield "podway", port, (sys.executable, __file__, "--serve", str(port), str(upstream))
    port = free_port()
    config = directory / "haproxy.cfg"
    config.write_text(HAPROXY.format(port=port, upstream=upstream))
    yield "haproxy", port, ("haproxy", "-db", "-f", str(config))
    port = free_port()
    yield "nginx", port, nginx(directory, "proxy", PROXY.format(port=port, upstream=upstream))


def nginx(directory: Path, name: str, body: str) -> tuple[str, ...]:
    """Write a configuration; give the command that runs it."""
    config = directory / f"{name}.conf"
    config.write_text(NGINX.format(directory=directory, name=name, body=body))
    return ("nginx", "-c", str(config))


def main() -> None:
    """Run all proxies under both loads and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--only", default="", help="one proxy's name")
    parser.add_argument("--serve", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        directory.chmod(0o777)
        upstream = free_port()
        page = "x" * 200
        body = SERVE.format(port=upstream, page=page)
        stack.enter_context(running(upstream, *nginx(directory, "pod", body)))
        print(f"{'':10}{'keep-alive':>24}{'connection per request':>28}")
        for who, port, command in proxies(directory, upstream):
            if options.only not in ("", who):
                continue
            with running(port, *command) as pid:
                load(port, pid, 1, close=False)
                cells = [load(port, pid, options.seconds, close) for close in (False, True)]
            print(f"{who:10}" + "".join(f"{rate:10.0f}/s {us:8.1f} us" for rate, us in cells))


if __name__ == "__main__":
    main()
