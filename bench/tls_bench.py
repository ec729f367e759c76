"""CPU of TLS that ends at the proxy beside HAProxy and nginx, one worker each.

`python bench/tls_bench.py [--seconds 4]`: as http_bench, with wrk over https: keep-alive, a new
connection with a full handshake per request (ECDSA P-256, wrk resumes nothing), and a download of
256 MiB by curl. What is compared is the proxy's own CPU time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from http_bench import HAPROXY, HEADERS, PROXY, SERVE, cpu, free_port, nginx, running

MEBIBYTES = 256


def certificate(directory: Path) -> Path:
    """Make a self-signed certificate for `a`; give the file with it and its key."""
    made = directory / "a.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=a", "-addext", "subjectAltName=DNS:a"]
    command += ["-keyout", str(directory / "a.key"), "-out", str(directory / "a.crt")]
    subprocess.run(command, check=True, capture_output=True)
    made.write_bytes((directory / "a.crt").read_bytes() + (directory / "a.key").read_bytes())
    made.chmod(0o644)
    return made


def load(port: int, pid: int, seconds: float, close: bool) -> tuple[float, float]:
    """Give (requests per second, CPU microseconds per request)."""
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s"]
    for header in ("Host: a", *HEADERS, *(["Connection: close"] if close else [])):
        command += ["-H", header]
    before = cpu(pid)
    url = f"https://127.0.0.1:{port}/some/path?q=1"
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    used = cpu(pid) - before
    done = re.search(r"(\d+) requests in ([\d.]+)s", out)
    if done is None or "Non-2xx" in out:
        raise SystemExit(f"wrk did not get its answers:\n{out}")
    return int(done[1]) / float(done[2]), used / int(done[1]) * 1e6


def bulk(port: int, pid: int) -> float:
    """Give CPU seconds per GB of a download."""
    before = cpu(pid)
    command = ["curl", "-sSk", "-o", "/dev/null", "-w", "%{size_download}", "-H", "Host: a"]
    out = subprocess.run(
        [*command, f"https://127.0.0.1:{port}/big"], capture_output=True, text=True, check=True
    ).stdout
    return (cpu(pid) - before) / int(out) * 1e9


def serve(port: int, upstream: int, pem: str) -> None:
    """Run one podway worker: a plane, TLS and an HttpFront."""
    import gc

    import uvloop

    from podway_proxy.http.front import HttpFront
    from podway_proxy.http.target import Target
    from podway_proxy.plane.front import TcpFront
    from podway_proxy.plane.listener import Listener
    from podway_proxy.plane.plane import Plane
    from podway_proxy.sniff.tls import sniff_hello
    from podway_proxy.tls.contexts import Terms, server_context
    from podway_proxy.tls.entrance import Entrance
    from podway_proxy.values import Endpoint, Handover

    endpoints = (Endpoint("127.0.0.1", upstream),)
    context = server_context(Path(pem).read_text(), Terms())

    async def main() -> None:
        plane = Plane()
        plane.attach(asyncio.get_running_loop())
        front = HttpFront(plane, route=lambda request, arrival: Target(endpoints, proto="https"))
        entrance = Entrance(plane, front.admit, lambda arrival, reason: None)
        handover = Handover(partial(entrance.take, context, "a", 10.0))
        tls = TcpFront(plane, decide=lambda *_: handover, sniff=sniff_hello)
        sock = socket.create_server(("127.0.0.1", port), backlog=1024)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        Listener(plane, sock, tls.accept)
        gc.freeze()
        await asyncio.Event().wait()

    uvloop.run(main())


def proxies(
    directory: Path, upstream: int, pem: Path
) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Give (name, port, command) of each proxy."""
    port = free_port()
    ours = (sys.executable, __file__, "--serve", str(port), str(upstream), str(pem))
    yield "podway", port, ours
    port = free_port()
    config = directory / "haproxy.cfg"
    text = HAPROXY.format(port=port, upstream=upstream)
    config.write_text(
        text.replace(f"bind 127.0.0.1:{port}", f"bind 127.0.0.1:{port} ssl crt {pem}")
    )
    yield "haproxy", port, ("haproxy", "-db", "-f", str(config))
    port = free_port()
    keys = f"ssl_certificate {pem}; ssl_certificate_key {pem}; server_name a;"
    body = PROXY.format(port=port, upstream=upstream)
    body = body.replace("backlog=1024;", "backlog=1024 ssl;").replace("server_name a;", keys)
    yield "nginx", port, nginx(directory, "proxy", body)


def main() -> None:
    """Run all proxies under the loads and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        port, upstream, pem = options.serve
        serve(int(port), int(upstream), pem)
        return
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        directory.chmod(0o777)
        made = certificate(directory)
        upstream_port = free_port()
        with (directory / "big").open("wb") as file:
            file.truncate(MEBIBYTES << 20)
        body = SERVE.format(port=upstream_port, page="x" * 200)
        body = body.replace("location / {", f"location /big {{ root {directory}; }} location / {{")
        stack.enter_context(running(upstream_port, *nginx(directory, "pod", body)))
        print(f"{'':10}{'keep-alive':>24}{'handshake per request':>28}{'bulk':>20}")
        for who, port_number, command in proxies(directory, upstream_port, made):
            with running(port_number, *command) as pid:
                load(port_number, pid, 1, close=False)
                cells = [load(port_number, pid, options.seconds, each) for each in (False, True)]
                row = "".join(f"{rate:>14.0f}/s{used:>8.1f} us" for rate, used in cells)
                print(f"{who:10}{row}{bulk(port_number, pid):>12.2f} s/GB", flush=True)


if __name__ == "__main__":
    main()
