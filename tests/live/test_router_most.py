"""maxConnections: so many clients over all workers, the next ones wait; -1: no such limit."""

from __future__ import annotations

import contextlib
import resource
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingress_rig import Daemon, until
from limits_site import HoldingPod, Site, answered, metric

pytestmark = pytest.mark.live
MOST = 2000
"""The least that the API allows."""
WORKERS = 3
REQUEST = b"GET / HTTP/1.1\r\nHost: web.t\r\n\r\n"


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Let this process have a socket for every client."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def pod() -> Iterator[HoldingPod]:
    made = HoldingPod("web-0")
    yield made
    made.close()


def connected(router: Daemon) -> int:
    return metric(router, "podway_router_http_connections")


def fill(site: Site, held: contextlib.ExitStack, number: int) -> list[socket.socket]:
    """Connect so many clients, each with the beginning of a request."""
    socks = []
    for _ in range(number):
        sock = held.enter_context(site.connect())
        sock.sendall(REQUEST[:-2])
        socks.append(sock)
    return socks


@pytest.mark.usefixtures("descriptors")
def test_the_limit_is_the_daemons_not_the_workers(tmp_path: Path, pod: HoldingPod) -> None:
    site = Site(tmp_path)
    site.spec = {"tuningOptions": {"maxConnections": MOST}}
    site.limited("web", pod, annotations={})
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        first = fill(site, held, MOST - 50)
        until("they are in", lambda: connected(router) == MOST - 50)
        more = fill(site, held, 250)
        until("it is full", lambda: connected(router) >= MOST)
        events = until(
            "it is said",
            lambda: [one for one in router.events() if one["event"].startswith("no room")],
        )
        assert {one["why"] for one in events} == {f"maxConnections is {MOST}"}
        assert len({one["role"] for one in events}) <= WORKERS
        assert connected(router) < MOST + 200  # the last ones wait
        for sock in more:
            sock.sendall(REQUEST[-2:])
        until("those who are in have answers", lambda: len(_ready(more)) >= 50)
        waiting = set(more) - _ready(more)
        assert waiting
        for sock in first[:1000]:
            sock.close()
        assert {answered(sock) for sock in waiting} == {"200"}


def _ready(socks: list[socket.socket]) -> set[socket.socket]:
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN)
    ready = {fd for fd, _ in poll.poll(100)}
    return {sock for sock in socks if sock.fileno() in ready}


@pytest.mark.usefixtures("descriptors")
def test_without_a_limit(tmp_path: Path, pod: HoldingPod) -> None:
    site = Site(tmp_path)
    site.spec = {"tuningOptions": {"maxConnections": -1}}
    site.limited("web", pod, annotations={})
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        fill(site, held, MOST + 100)
        until("all are in", lambda: connected(router) == MOST + 100)
        assert site.ask("web") == "200"
        assert not [one for one in router.events() if one["event"].startswith("no room")]
