"""Rate limits per client and Route, over all workers and on all three ports."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import http_rig
import pytest
from hellos import hello
from ingress_rig import address, until
from limits_site import CUT, RATES, HoldingPod, Site, answered, metric

pytestmark = pytest.mark.live
WORKERS = 3


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def pod() -> Iterator[HoldingPod]:
    made = HoldingPod("web-0")
    yield made
    made.release.set()
    made.close()


def rates(**parts: int) -> dict[str, str]:
    words = {f"{RATES}.{part.replace('_', '-')}": str(value) for part, value in parts.items()}
    return {RATES: "true", **words}


def test_requests_per_10_s_over_all_workers(site: Site, pod: HoldingPod) -> None:
    site.limited("web", pod, annotations=rates(rate_http=7))
    with site.router(workers=WORKERS) as router:
        asked = [site.ask("web") for _ in range(20)]
        assert asked == ["200"] * 7 + [CUT] * 13
        assert site.ask("web", source=address()) == "200"
        assert pod.served == 8
        refused = 'podway_router_refused_total{step="rate-limit"}'
        until("they are counted", lambda: metric(router, refused) == 13)


def test_requests_of_one_connection_count(site: Site, pod: HoldingPod) -> None:
    site.limited("web", pod, annotations=rates(rate_http=3))
    site.limited("free", pod, annotations={})
    with site.router(), site.connect() as sock:
        asked = [site.talk(sock, name) for name in ("web", "free", "web", "web", "free", "web")]
        assert asked == ["200"] * 5 + [CUT]


def test_limits_that_come_later_hold_on_connections_that_are_there(
    site: Site, pod: HoldingPod
) -> None:
    site.limited("web", pod, annotations={})
    with site.router() as router, site.connect() as sock:
        assert [site.talk(sock, "web") for _ in range(9)] == ["200"] * 9
        site.objects.clear()
        site.limited("web", pod, annotations=rates(rate_http=2))
        until("they are loaded", lambda: "rules" in str(router.debug("entries")))
        until("the worker has them", lambda: site.talk(sock, "web") == CUT)
        assert site.ask("web") == CUT
        assert site.ask("web", source=address()) == "200"


def test_connections_per_3_s_count_themselves(site: Site, pod: HoldingPod) -> None:
    site.limited("web", pod, annotations=rates(rate_tcp=6))
    with site.router(workers=WORKERS):
        assert [site.ask("web") for _ in range(9)] == ["200"] * 5 + [CUT] * 4
        until("the client may come again", lambda: site.ask("web", source=address()) == "200")


def test_so_many_at_once_over_all_workers(site: Site, pod: HoldingPod) -> None:
    site.limited("web", pod, annotations=rates(concurrent_tcp=4))
    with site.router(workers=WORKERS):
        held = []
        for n in range(1, 4):
            held.append(site.connect())
            held[-1].sendall(b"GET /hold HTTP/1.1\r\nHost: web.t\r\n\r\n")
            until("the pod has it", lambda n=n: pod.now == n)
        assert [site.ask("web") for _ in range(6)] == [CUT] * 6
        pod.release.set()
        assert [answered(sock) for sock in held] == ["200"] * 3
        # Connections that are kept and idle do not count, as in HAProxy.
        assert [site.ask("web") for _ in range(6)] == ["200"] * 6
        for sock in held:
            sock.close()


def test_whoever_leaves_counts_no_more(site: Site, pod: HoldingPod) -> None:
    site.limited("web", pod, annotations=rates(concurrent_tcp=2))
    with site.router(workers=WORKERS):
        for _ in range(5):
            before = pod.now
            sock = site.connect()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.sendall(b"GET /hold HTTP/1.1\r\nHost: web.t\r\n\r\n")
            until("the pod has it", lambda before=before: pod.now > before)
            assert site.ask("web") == CUT
            sock.close()
            until("it is forgotten", lambda: site.ask("web") == "200")


def test_a_killed_workers_clients_count_no_more(site: Site, pod: HoldingPod) -> None:
    site.limited("web", pod, annotations=rates(concurrent_tcp=4))
    with site.router(workers=WORKERS) as router:
        held = [site.connect() for _ in range(3)]
        for sock in held:
            sock.sendall(b"GET /hold HTTP/1.1\r\nHost: web.t\r\n\r\n")
        until("the pod has them", lambda: pod.now == 3)
        assert site.ask("web") == CUT
        for pid in router.pids("worker"):
            os.kill(pid, signal.SIGKILL)
        until("there is room again", lambda: _ask_or_cut(site) == "200")
        for sock in held:
            sock.close()


def _ask_or_cut(site: Site) -> str:
    try:
        return site.ask("web")
    except OSError:
        return CUT


def test_edge_and_plain_count_together(site: Site, pod: HoldingPod) -> None:
    tls = {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}
    site.limited("web", pod, annotations=rates(rate_http=4), tls=tls)
    with site.router(workers=WORKERS):
        asked = [site.ask("web"), site.curl("https://web.t/", "-k")[0], site.ask("web")]
        asked += [site.curl("https://web.t/", "-k")[0]]
        assert asked == ["200"] * 4
        assert site.curl("https://web.t/", "-k")[0] in ("[52]", "[56]")  # empty reply, reset
        assert site.ask("web") == CUT


def test_connections_that_are_handed_through(site: Site) -> None:
    def greet(connection: http_rig.PodConnection) -> None:
        if connection.more():
            connection.send(b"hi")
            while connection.more():
                pass

    pod = http_rig.Pod(greet)
    tls = {"termination": "passthrough"}
    site.limited("at-once", pod, annotations=rates(concurrent_tcp=4, rate_http=1), tls=tls)
    site.limited("rate", pod, annotations=rates(rate_tcp=4), tls=tls)
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        first = _greeted(site, "at-once.t", held)[0]
        assert [_greeted(site, "at-once.t", held)[1] for _ in range(5)] == [b"hi"] * 2 + [b""] * 3
        first.close()
        until("one has left", lambda: _greeted(site, "at-once.t", held)[1] == b"hi")
        asked = Counter(_greeted(site, "rate.t", held)[1] for _ in range(6))
        assert asked == {b"hi": 3, b"": 3}
        refused = 'podway_router_refused_total{step="rate-limit"}'
        until("they are counted", lambda: metric(router, refused) >= 6)
    pod.close()


def _greeted(site: Site, name: str, held: contextlib.ExitStack) -> tuple[socket.socket, bytes]:
    """Connect and stay; give what the pod has said, nothing if it was cut."""
    sock = held.enter_context(socket.create_connection((site.host, site.https), 20))
    sock.sendall(hello(name.encode()))
    try:
        return sock, sock.recv(100)
    except ConnectionError:
        return sock, b""
