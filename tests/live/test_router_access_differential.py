"""The same requests to podway-router and to HAProxy, and the lines that both write about them.

Both get the same format, and HAProxy the names that OpenShift's template would give. What can't
agree is masked: ports of clients, times (only whether there is one counts), and bytes, of which
HAProxy counts those of its inner form.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, address, free_port, until

pytestmark = pytest.mark.live
FORM = (
    "%ci %fi %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %rc %sq/%bq %hr %hs %{+Q}r "
    "|%HM|%HP|%HPO|%HQ|%HU|%HV|%{+Q}CC|%{+Q}HQ|%hrl|%hsl|%{+Q}hr|%si|%[capture.req.hdr(1),json(utf8s)]"
)
CAPTURED = {"request": (("Host", 10), ("X-Own", 30)), "response": (("Server", 8), ("X-None", 5))}
NO_COOKIE = {"haproxy.router.openshift.io/disable_cookies": "true"}
CONFIGURATION = """
global
  log {syslog} len 4096 local1 info
  log-send-hostname
defaults
  mode http
  log global
  log-format "{form}"
  timeout connect 1s
  timeout client 1s
  timeout server 1s
  timeout http-request 1s
  retries 0
frontend public
  bind {where}
{captures}
  redirect scheme https if {{ hdr(host) red.t }}
  use_backend be_http:shop:%[hdr(host),regsub(\\.t$,)] if {{ hdr(host) -m reg ^(ok|cut|still|short|bad|dead)\\.t$ }}
  default_backend openshift_default
backend openshift_default
"""  # noqa: E501 - a rule is a line
OK = (
    b'HTTP/1.1 200 OK\r\nServer: a{b|"c#d-long\r\nSet-Cookie: sess=new; path=/\r\n'
    b"Content-Length: 5\r\n\r\nhello"
)


class Pod:
    """A server that does one thing."""

    def __init__(self, handle: Callable[[socket.socket], None]) -> None:
        self._handle = handle
        self.name = handle.__name__
        self.listener = socket.create_server((address(), 0))
        self.where = self.listener.getsockname()
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # or accept goes on waiting
        self.listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(5)
            self._handle(sock)


def ok(sock: socket.socket) -> None:
    while sock.recv(65536):
        sock.sendall(OK)


def cut(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def still(sock: socket.socket) -> None:
    while sock.recv(65536):
        pass


def short(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")


def bad(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")


class Side(NamedTuple):
    """One of the two."""

    where: tuple[str, int]
    receiver: socket.socket

    def line(self) -> str:
        """Give the next line, without what syslog puts before it, and masked."""
        text = self.receiver.recv(65536).decode()
        return masked(re.sub(r"^<\d+>\w+ +\d+ [\d:]+ \S+ \S+\[\d+\]: ", "", text))


def masked(line: str) -> str:
    """Leave out what can't agree."""
    line = re.sub(r"(?<= )(-?\d+/){4}\d+(?= )", lambda times: _signs(times[0]), line)
    line = re.sub(r"(?<=[+-] )(\d{3}|-1) \d+ ", r"\1 - ", line)
    return re.sub(r"^\S+ \S+ ", "", line).replace("\n", "")


def _signs(times: str) -> str:
    return "/".join("-" if one.startswith("-") else "+" for one in times.split("/"))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    """Run both; gives (ours, HAProxy's)."""
    folder = tmp_path_factory.mktemp("access")
    running = [Pod(one) for one in (ok, cut, still, short, bad)]
    pods = {one.name: one.where for one in running}
    dead = address()
    pods["dead"] = (dead, free_port(dead))
    ours, theirs = _side(), _side()
    manifests = Manifests(folder / "manifests")
    manifests.directory.mkdir()
    _objects(manifests, ours, pods)
    usual = ("--name", "apps", "--bind", ours.where[0], "--allow-loopback-endpoints")
    router = Daemon("podway-router", manifests, *usual, workers=1)
    with router, _haproxy(folder, theirs, pods), ours.receiver, theirs.receiver:
        yield ours, theirs
    for pod in running:
        pod.close()


def _side() -> Side:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind((address(), 0))
    receiver.settimeout(10)
    host = address()
    return Side((host, free_port(host)), receiver)


def _objects(manifests: Manifests, ours: Side, pods: dict[str, tuple[str, int]]) -> None:
    host, port = ours.receiver.getsockname()
    headers = {
        kind: [{"name": name, "maxLength": most} for name, most in wanted]
        for kind, wanted in CAPTURED.items()
    }
    syslog = {"address": host, "port": port, "maxLength": 4096}
    access = {
        "destination": {"type": "Syslog", "syslog": syslog},
        "httpLogFormat": FORM,
        "httpCaptureHeaders": headers,
        "httpCaptureCookies": [{"matchType": "Prefix", "namePrefix": "se", "maxLength": 12}],
    }
    quick = {"serverTimeout": "1s", "clientTimeout": "1s", "connectTimeout": "1s"}
    spec = {"logging": {"access": access}, "tuningOptions": quick}
    tls = {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
    objects = [controller("apps", ours.where[1], free_port(ours.where[0]), **spec)]
    for name, where in pods.items():
        objects += [service(name), *endpoints(name, where)]
        objects.append(route(name, f"{name}.t", name, annotations=NO_COOKIE))
    manifests.put("site", *objects, route("red", "red.t", "ok", tls=tls))


@contextlib.contextmanager
def _haproxy(folder: Path, theirs: Side, pods: dict[str, tuple[str, int]]) -> Iterator[None]:
    captures = "\n".join(
        f"  capture {kind} header {name} len {most}"
        for kind, wanted in CAPTURED.items()
        for name, most in wanted
    )
    text = CONFIGURATION.format(
        syslog=":".join(map(str, theirs.receiver.getsockname())),
        where=":".join(map(str, theirs.where)),
        form=FORM,
        captures=captures + "\n  capture cookie se len 12",
    )
    for name, (host, port) in pods.items():
        text += f"backend be_http:shop:{name}\n"
        text += f"  server ept:{name}:http:{host}:{port} {host}:{port}\n"
    (folder / "haproxy.cfg").write_text(text)
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program, "haproxy is not installed: sudo apt-get install haproxy"
    with (folder / "haproxy.log").open("wb") as log:
        command = [program, "-db", "-f", str(folder / "haproxy.cfg")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until("HAProxy listens", lambda: _listens(process, theirs.where, folder / "haproxy.log"))
        theirs.receiver.recv(4096)  # about that connection
        yield
    finally:
        process.terminate()
        process.wait(10)


def _listens(process: subprocess.Popen[bytes], where: tuple[str, int], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with contextlib.suppress(OSError):
        socket.create_connection(where, timeout=1).close()
        return True
    return False


def raw(host: str, target: str = "/", *fields: str, body: str = "") -> bytes:
    method = "POST" if body else "GET"
    more = (f"Content-Length: {len(body)}",) if body else ()
    lines = (f"{method} {target} HTTP/1.1", f"Host: {host}.t", "Connection: close", *fields, *more)
    return "\r\n".join((*lines, "", body)).encode("latin-1")


REQUESTS = {
    "plain": raw("ok"),
    "query": raw("ok", "/a/b?c=d&e"),
    "odd target": raw("ok", '/a"b#\'{|}\\%00?x="y"'),
    "captured": raw("ok", "/", 'X-Own: a b"c{d|e}f#g\\h\x7f'.replace("\x7f", "\xe9")),
    "captured and cut": raw("ok", "/", "X-Own: " + "y" * 60),
    "captured twice": raw("ok", "/", "X-Own: one", "X-Own: two"),
    "cookie": raw("ok", "/", "Cookie: a=b; sess=0123456789; second=1"),
    "no such cookie": raw("ok", "/", "Cookie: a=b"),
    "post": raw("ok", "/", body="12345"),
    "http/1.0": b"GET /old HTTP/1.0\r\nHost: ok.t\r\n\r\n",
    "no route": raw("unknown"),
    "redirect": raw("red", "/x?y"),
    "the pod resets": raw("cut", body="12345"),  # a GET would be tried again by us alone
    "the pod is still": raw("still"),
    "the pod stops": raw("short"),
    "the pod talks nonsense": raw("bad"),
    "no pod": raw("dead"),
    "no request": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_both_write_the_same(name: str, both: tuple[Side, Side]) -> None:
    said = []
    for side in both:
        with socket.create_connection(side.where, timeout=10) as sock:
            sock.sendall(REQUESTS[name])
            with contextlib.suppress(OSError):
                while sock.recv(65536):
                    pass
        said.append(side.line())
    assert said[0] == said[1]


def test_clients_that_leave(both: tuple[Side, Side]) -> None:
    said = []
    for side in both:
        with socket.create_connection(side.where, timeout=10) as sock:
            sock.sendall(b"GET /half")
        said.append(side.line())
        with socket.create_connection(side.where, timeout=10):
            pass
        said.append(side.line())
    assert said[:2] == said[2:]
    assert " CR" in said[0]
