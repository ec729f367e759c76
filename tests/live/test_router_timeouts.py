"""`timeout` and `timeout-tunnel` of a Route: who is silent for longer is not waited for."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hellos import hello
from http_rig import OK, Pod, PodConnection, read_answer
from ingress_objects import endpoints, route, service
from limits_site import H, Site, metric

pytestmark = pytest.mark.live
SOON = 8.0
"""Seconds: far from the defaults of 30 s and an hour."""
OVER = threading.Event()


def reluctant(connection: PodConnection) -> None:
    """Answer what is asked for but `/never`; say nothing in a tunnel."""
    while head := connection.head():
        if b"/never" in head:
            connection.more()
            return
        if b"\r\nUpgrade" in head:
            connection.send(b"HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
            silent(connection)
            return
        connection.send(OK)


def silent(connection: PodConnection) -> None:
    """Take what comes, and neither say anything nor leave."""
    while connection.more():
        pass
    OVER.wait(3 * SOON)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    OVER.clear()
    talker, mute = Pod(reluctant), Pod(silent)
    for name, pod in (("web", talker), ("mute", mute)):
        site.objects += [service(name), *endpoints(name, pod.endpoint.address)]
    through = {"termination": "passthrough"}
    site.put(
        route("web", "web.t", "web", annotations={H + "timeout": "600ms"}),
        route("tunnel", "tunnel.t", "web", annotations={H + "timeout-tunnel": "600ms"}),
        route("one", "one.t", "mute", annotations={H + "timeout": "600ms"}, tls=through),
        route(
            "two",
            "two.t",
            "mute",
            annotations={H + "timeout": "1h", H + "timeout-tunnel": "600ms"},
            tls=through,
        ),
    )
    yield site
    OVER.set()
    talker.close()
    mute.close()


def test_a_pod_that_does_not_answer(site: Site) -> None:
    """The third request and those behind it take the fast lane."""
    with site.router() as router, site.connect() as sock:
        sock.settimeout(SOON)
        for _ in range(4):
            sock.sendall(b"GET / HTTP/1.1\r\nHost: web.t\r\n\r\n")
            assert read_answer(sock)[1] == b"ok"
        sock.sendall(b"GET /never HTTP/1.1\r\nHost: web.t\r\n\r\n")
        head, body = read_answer(sock)
        assert head.startswith(b"HTTP/1.1 504 ")
        assert b"server-timeout" in body
        assert metric(router, 'podway_router_http_refused_total{step="server-timeout"}') == 1


def test_tunnels_without_a_byte(site: Site) -> None:
    with site.router(), contextlib.ExitStack() as held:
        began = time.monotonic()
        socks = []
        upgraded = held.enter_context(site.connect())
        upgraded.sendall(
            b"GET / HTTP/1.1\r\nHost: tunnel.t\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
        )
        assert read_answer(upgraded)[0].startswith(b"HTTP/1.1 101 ")
        socks.append(upgraded)
        for host in (b"one.t", b"two.t"):
            sock = socket.create_connection((site.host, site.https), SOON)
            held.enter_context(sock)
            sock.sendall(hello(host))
            socks.append(sock)
        for sock in socks:
            sock.settimeout(SOON)
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(100) == b""
        assert time.monotonic() - began < SOON


@pytest.mark.parametrize("seconds", [1, 2])
def test_half_closed_tunnels(site: Site, seconds: int) -> None:
    """1 s, the API's default, would cut slow answers; it is not taken over."""
    site.spec = {"tuningOptions": {"clientFinTimeout": f"{seconds}s"}}
    through = {"termination": "passthrough"}
    site.put(route("any", "any.t", "mute", tls=through), route("up", "up.t", "web"))
    with site.router(), site.connect() as upgraded:
        upgraded.sendall(
            b"GET / HTTP/1.1\r\nHost: up.t\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
        )
        assert read_answer(upgraded)[0].startswith(b"HTTP/1.1 101 ")
        with socket.create_connection((site.host, site.https), SOON) as handed:
            handed.sendall(hello(b"any.t"))
            for sock in (handed, upgraded):
                sock.settimeout(SOON if seconds > 1 else 4 * seconds)
                sock.shutdown(socket.SHUT_WR)
            for sock in (handed, upgraded):
                assert ended(sock) == (seconds > 1)


def ended(sock: socket.socket) -> bool:
    """Tell whether the connection ends before patience does."""
    try:
        return sock.recv(100) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
