"""pod-concurrent-connections over all workers: never more, everybody in the end, in order."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hellos import hello
from http_rig import Pod, PodConnection
from ingress_objects import route
from ingress_rig import Daemon, until
from ingress_rig import Pod as SizedPod
from limits_site import POD, HoldingPod, Site, answered, metric

pytestmark = pytest.mark.live
WORKERS = 3
H = "haproxy.router.openshift.io/"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def pods() -> Iterator[list[HoldingPod]]:
    made = [HoldingPod("web-0"), HoldingPod("web-1")]
    yield made
    for pod in made:
        pod.release.set()
        pod.close()


def limit(number: int, **more: str) -> dict[str, str]:
    return {POD: str(number), H + "disable_cookies": "true", **more}


def hold(site: Site, pods: list[HoldingPod], held: contextlib.ExitStack, number: int) -> None:
    """Have the pods hold so many requests more."""
    for n in range(sum(pod.now for pod in pods) + 1, number + 1):
        ask(site, held)
        until("a pod has it", lambda n=n: sum(pod.now for pod in pods) == n)


def ask(site: Site, held: contextlib.ExitStack, path: bytes = b"/hold") -> socket.socket:
    """Send a request and wait for nothing."""
    sock = held.enter_context(site.connect())
    sock.sendall(b"GET %s HTTP/1.1\r\nHost: web.t\r\n\r\n" % path)
    return sock


def test_a_pod_never_has_more_and_everybody_is_served(site: Site, pods: list[HoldingPod]) -> None:
    site.limited("web", *pods, annotations=limit(2))
    statuses: Counter[str] = Counter()

    def client() -> None:
        for _ in range(15):
            statuses[site.ask("web", "/work")] += 1

    with site.router(workers=WORKERS) as router:
        threads = [threading.Thread(target=client) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == {"200": 180}
        assert [pod.most for pod in pods] == [2, 2]
        until("nobody waits", lambda: metric(router, "podway_router_queued") == 0)


def test_who_finds_no_room_waits_then_goes_on(site: Site, pods: list[HoldingPod]) -> None:
    site.limited("web", *pods, annotations=limit(1))
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        hold(site, pods, held, 2)
        waiting = [ask(site, held, b"/quick") for _ in range(6)]
        until("they wait", lambda: metric(router, "podway_router_queued") == 6)
        assert [pod.most for pod in pods] == [1, 1]
        for pod in pods:
            pod.release.set()
        assert [answered(sock) for sock in waiting] == ["200"] * 6
        assert [pod.most for pod in pods] == [1, 1]
        until("nobody waits", lambda: metric(router, "podway_router_queued") == 0)


def test_who_waits_longer_than_the_connect_timeout_gets_503(
    site: Site, pods: list[HoldingPod]
) -> None:
    site.spec = {"tuningOptions": {"connectTimeout": "1s"}}
    site.limited("web", *pods, annotations=limit(1))
    with site.router("--access-log") as router, contextlib.ExitStack() as held:
        hold(site, pods, held, 2)
        sock = ask(site, held)
        page = until("the page", lambda: sock.recv(65536)).decode()
        assert page.startswith("HTTP/1.1 503")
        assert "queue: route shop/web: no pod had room within 1 s" in page
        refused = 'podway_router_http_refused_total{step="queue"}'
        until("it is counted", lambda: metric(router, refused) == 1)
        until(
            "the access log",
            lambda: [one for one in router.events() if one.get("step") == "queue"],
        )
        until("nobody waits", lambda: metric(router, "podway_router_queued") == 0)


def test_who_leaves_the_line_frees_it(site: Site, pods: list[HoldingPod]) -> None:
    site.limited("web", *pods, annotations=limit(1))
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        hold(site, pods, held, 2)
        leaving = [ask(site, held) for _ in range(4)]
        until("they wait", lambda: metric(router, "podway_router_queued") == 4)
        for sock in leaving:
            sock.close()
        until("they are forgotten", lambda: metric(router, "podway_router_queued") == 0)
        last = ask(site, held, b"/last")
        for pod in pods:
            pod.release.set()
        assert answered(last) == "200"
        until("all were served", lambda: sum(pod.served for pod in pods) == 3)
        assert b"/last" in pods[0].seen + pods[1].seen


def test_a_killed_workers_places_are_given_back(site: Site, pods: list[HoldingPod]) -> None:
    site.limited("web", pods[0], annotations=limit(3))
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        hold(site, pods[:1], held, 3)
        waiting = [ask(site, held, b"/quick") for _ in range(20)]
        until("they wait", lambda: metric(router, "podway_router_queued") == 20)
        for pid in router.pids("worker"):
            os.kill(pid, signal.SIGKILL)
        until("all are back", lambda: len(router.pids("worker")) == WORKERS)
        for sock in waiting:
            sock.close()
        assert until("there is room", lambda: _quick(site)) == "200"
        until("nobody waits", lambda: metric(router, "podway_router_queued") == 0)


def test_one_killed_worker_of_several(site: Site, pods: list[HoldingPod]) -> None:
    site.limited("web", pods[0], annotations=limit(1))
    with site.router(workers=2) as router, contextlib.ExitStack() as held:
        hold(site, pods[:1], held, 1)
        waiting = [ask(site, held, b"/quick") for _ in range(12)]
        until("they wait", lambda: metric(router, "podway_router_queued") == 12)
        os.kill(router.pids("worker")[0], signal.SIGKILL)
        until("it is back", lambda: len(router.pids("worker")) == 2)
        pods[0].release.set()
        ended = Counter(answered(sock) for sock in waiting)
        assert set(ended) <= {"200", "cut"}  # those of the killed worker are cut, all others served
        assert ended["200"] > 0
        assert pods[0].most <= 2  # of the killed one's request the pod may still know


def _quick(site: Site) -> str:
    with contextlib.suppress(OSError):
        answer = site.ask("web", "/quick")
        return answer if answer == "200" else ""
    return ""


def test_a_pod_that_has_come_serves_those_who_wait(site: Site, pods: list[HoldingPod]) -> None:
    site.limited("web", pods[0], annotations=limit(1))
    with site.router(workers=WORKERS), contextlib.ExitStack() as held:
        hold(site, pods[:1], held, 1)
        waiting = ask(site, held, b"/quick")
        site.objects.clear()
        site.limited("web", *pods, annotations=limit(1))
        assert answered(waiting) == "200"
        assert pods[1].served == 1


def test_a_body_waits_with_its_request(site: Site, pods: list[HoldingPod]) -> None:
    body = os.urandom(3_000_000)
    with SizedPod("web-0") as pod:
        site.objects = [
            *site.pod("web", pod),
            route("web", "web.t", "web", annotations=limit(1)),
        ]
        site.put()
        with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
            first, second = (held.enter_context(site.connect()) for _ in range(2))
            head = b"POST / HTTP/1.1\r\nHost: web.t\r\nContent-Length: %d\r\n\r\n" % len(body)
            first.sendall(head + body[:1000])
            until("the pod has it", lambda: pod._server.open)
            sender = threading.Thread(target=second.sendall, args=(head + body,))
            sender.start()
            until("it waits", lambda: metric(router, "podway_router_queued") == 1)
            first.sendall(body[1000:])
            for sock in (first, second):
                assert json.loads(read_body(sock))["sha256"] == hashlib.sha256(body).hexdigest()
            sender.join()


def read_body(sock: socket.socket) -> bytes:
    response = http.client.HTTPResponse(sock)
    response.begin()
    assert response.status == 200
    return response.read()


def test_a_dead_pod_costs_no_place(site: Site, pods: list[HoldingPod]) -> None:
    pods[0].close()
    site.limited("web", *pods, annotations=limit(1))
    with site.router(workers=WORKERS):
        assert [site.ask("web") for _ in range(12)] == ["200"] * 12
        assert pods[1].most == 1


def test_a_cookie_waits_for_its_own_pod(site: Site, pods: list[HoldingPod]) -> None:
    site.limited("web", *pods, annotations={POD: "1", "router.openshift.io/cookie_name": "c"})
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        sock = held.enter_context(site.connect())
        sock.sendall(b"GET / HTTP/1.1\r\nHost: web.t\r\n\r\n")
        cookie = sock.recv(65536).partition(b"Set-Cookie: ")[2].partition(b";")[0]
        assert cookie
        own = next(pod for pod in pods if pod.served)
        sock.sendall(b"GET /hold HTTP/1.1\r\nHost: web.t\r\nCookie: %s\r\n\r\n" % cookie)
        until("its pod has it", lambda: own.now == 1)
        again = held.enter_context(site.connect())
        again.sendall(b"GET /again HTTP/1.1\r\nHost: web.t\r\nCookie: %s\r\n\r\n" % cookie)
        until("it waits", lambda: metric(router, "podway_router_queued") == 1)
        assert site.ask("web") == "200"  # there is room at the other one
        own.release.set()
        assert answered(again) == "200"
        assert b"/again" in own.seen


def test_upgrades_keep_their_place(site: Site) -> None:
    def echo(connection: PodConnection) -> None:
        connection.head()
        connection.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
        )
        while connection.more():
            pass

    pod = Pod(echo)
    upgrade = b"GET / HTTP/1.1\r\nHost: web.t\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
    site.limited("web", pod, annotations=limit(1))
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        first = held.enter_context(site.connect())
        first.sendall(upgrade)
        assert answered(first) == "101"
        second = held.enter_context(site.connect())
        second.sendall(upgrade)
        until("it waits", lambda: metric(router, "podway_router_queued") == 1)
        first.close()
        assert answered(second) == "101"
    pod.close()


def test_connections_that_are_handed_through(site: Site) -> None:
    def greet(connection: PodConnection) -> None:
        if connection.more():
            connection.send(b"hi")
            while connection.more():
                pass

    pod = Pod(greet)
    site.spec = {"tuningOptions": {"connectTimeout": "2s"}}
    site.limited("web", pod, annotations=limit(2), tls={"termination": "passthrough"})
    with site.router(workers=WORKERS) as router, contextlib.ExitStack() as held:
        made = [_hello(site, held) for _ in range(2)]
        assert [sock.recv(10) for sock in made] == [b"hi", b"hi"]
        gone, third = _hello(site, held), _hello(site, held)
        until("they wait", lambda: metric(router, "podway_router_queued") == 2)
        gone.close()
        until("one has left", lambda: metric(router, "podway_router_queued") == 1)
        made[0].close()
        assert third.recv(10) == b"hi"
        late = _hello(site, held)
        assert late.recv(10)[:1] == b"\x15"  # an alert
        refused = 'podway_router_refused_total{step="queue"}'
        until("it is counted", lambda: metric(router, refused) == 1)
    pod.close()


def _hello(site: Site, held: contextlib.ExitStack) -> socket.socket:
    sock = held.enter_context(socket.create_connection((site.host, site.https), 20))
    sock.sendall(hello(b"web.t"))
    return sock


@pytest.mark.parametrize("sign", [signal.SIGHUP, signal.SIGUSR2])
def test_places_go_on_over_generations_and_masters(
    site: Site, pods: list[HoldingPod], sign: signal.Signals
) -> None:
    site.limited("web", pods[0], annotations=limit(2))
    with site.router(workers=2) as router, contextlib.ExitStack() as held:
        hold(site, pods[:1], held, 2)
        router.process.send_signal(sign)
        if sign == signal.SIGHUP:
            until("the next generation serves", lambda: _said(router, "reloaded"))
        else:
            until("the master is another program", lambda: _said(router, "master re-executed"))
        waiting = ask(site, held, b"/quick")
        until("it waits", lambda: metric(router, "podway_router_queued") == 1)
        if sign == signal.SIGUSR2:  # the new master clears the rows of the dead, too
            for pid in router.pids("worker"):
                os.kill(pid, signal.SIGKILL)
            assert answered(waiting) == "cut"
            assert until("there is room", lambda: _quick(site)) == "200"
        pods[0].release.set()
        if sign == signal.SIGHUP:
            assert answered(waiting) == "200"
            assert pods[0].most == 2


def _said(router: Daemon, event: str) -> bool:
    return any(one["event"] == event for one in router.events())
