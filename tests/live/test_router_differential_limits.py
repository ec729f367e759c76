"""Routes with limits, asked alike of podway-router and of HAProxy with OpenShift's rules."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest
from haproxy_peer import Address, Site, haproxy
from hellos import hello
from http_rig import Pod, PodConnection
from ingress_objects import Object, controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, address, free_port, until
from limits_site import CUT, POD, RATES, HoldingPod, answered

pytestmark = pytest.mark.live
TRACKED = (
    "stick-table type ip size 100k expire 30s store conn_cur,conn_rate(3s),http_req_rate(10s)",
    "tcp-request content track-sc2 src",
)
SAMPLES = {"concurrent-tcp": "src_conn_cur", "rate-tcp": "src_conn_rate"}
SAMPLES["rate-http"] = "src_http_req_rate"
LIMITS = {
    f"{part}-{number}".replace("tcp", "t"): (part, number)
    for part in SAMPLES
    for number in (0, 1, 2, 4)
}
THROUGH = ("concurrent-tcp", 3), ("rate-tcp", 3)
"""Limits of passthrough Routes."""
FRONTEND = """
frontend tls
  mode tcp
  bind {bind}
  tcp-request inspect-delay 5s
  tcp-request content accept if {{ req_ssl_hello_type 1 }}
  use_backend %[req_ssl_sni]
"""
BACKEND = """
backend through-{part}.t
  mode tcp
  {tracked}
  tcp-request content reject if {{ {sample} ge {number} }}
  server s {pod}
"""
Peer = tuple[Address, HoldingPod]


def sites(pod: Address) -> list[Site]:
    """Give a Route for each limit, and one whose pod takes two at a time."""
    made = []
    for name, (part, number) in LIMITS.items():
        rule = f"tcp-request content reject if {{ {SAMPLES[part]} ge {number} }}"
        made.append(Site(name, f"{name}.t", (pod,), rules=(*TRACKED, rule), cookies=False))
    return [*made, Site("two", "two.t", (pod,), server="maxconn 2", cookies=False)]


def tls_objects(part: str, number: int, pod: Address) -> list[Object]:
    """Give a passthrough Route with that limit."""
    name = f"through-{part}"
    notes = {RATES: "true", f"{RATES}.{part}": str(number)}
    tls = {"termination": "passthrough"}
    made = route(name, f"{name}.t", name, annotations=notes, tls=tls)
    return [service(name), *endpoints(name, pod), made]


def tls_sections(bind: Address, pod: Address) -> str:
    """Give the same to HAProxy."""
    backends = (
        BACKEND.format(
            part=part,
            number=number,
            sample=SAMPLES[part],
            tracked="\n  ".join(TRACKED),
            pod=":".join(map(str, pod)),
        )
        for part, number in THROUGH
    )
    return FRONTEND.format(bind=":".join(map(str, bind))) + "".join(backends)


def annotations(site: Site) -> dict[str, str]:
    own = {"haproxy.router.openshift.io/disable_cookies": "true"}
    if site.name == "two":
        return {POD: "2", **own}
    part, number = LIMITS[site.name]
    return {RATES: "true", f"{RATES}.{part}": str(number), **own}


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Peer]]:
    """Run both routers, ours with three workers, each with a pod of its own."""
    folder = tmp_path_factory.mktemp("limits")
    manifests = Manifests(folder / "manifests")
    manifests.directory.mkdir()
    ours, theirs = address(), address()
    port, https = free_port(ours), free_port(ours)
    pods = HoldingPod("ours"), HoldingPod("theirs")
    greeter = Pod(greet)
    apps = controller("apps", port, https, tuningOptions={"connectTimeout": "2s"})
    objects = [
        [
            service(site.name),
            *endpoints(site.name, *site.pods),
            route(site.name, site.host, site.name, annotations=annotations(site)),
        ]
        for site in sites(pods[0].endpoint.address)
    ]
    greets = greeter.endpoint.address
    through = [tls_objects(*limit, greets) for limit in THROUGH]
    manifests.put("site", apps, *objects, *through)
    usual = ("--name", "apps", "--bind", ours, "--allow-loopback-endpoints")
    router = Daemon("podway-router", manifests, *usual, workers=3)
    more = tls_sections((theirs, https), greets)
    with router, haproxy(sites(pods[1].endpoint.address), (theirs, port), folder, more=more):
        TLS_PORTS.update({ours: https, theirs: https})
        yield [((ours, port), pods[0]), ((theirs, port), pods[1])]
    for pod in pods:
        pod.release.set()
        pod.close()
    greeter.close()


TLS_PORTS: dict[str, int] = {}


def greet(connection: PodConnection) -> None:
    """Be a pod behind a passthrough Route: say something, and stay."""
    if connection.more():
        connection.send(b"hi")
        while connection.more():
            pass


def both(peers: list[Peer], act: Callable[[Address, HoldingPod], list[str]]) -> list[str]:
    """Do the same to both; give what came of it, which is the same, too."""
    ours, theirs = (act(where, pod) for where, pod in peers)
    assert ours == theirs
    return ours


def ask(sock: socket.socket, name: str, path: str = "/") -> str:
    try:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}.t\r\n\r\n".encode())
    except ConnectionError:
        return CUT
    return answered(sock)


def connect(where: Address, source: str) -> socket.socket:
    return socket.create_connection(where, 20, source_address=(source, 0))


def part(sock: socket.socket) -> None:
    """End a connection and wait until the other side has ended it: it is no longer counted."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            continue


@pytest.mark.parametrize("name", LIMITS)
def test_requests_on_connections_of_their_own(name: str, peers: list[Peer]) -> None:
    def act(where: Address, _: HoldingPod) -> list[str]:
        asked, source = [], address()
        for _ in range(6):
            with connect(where, source) as sock:
                asked.append(ask(sock, name))
                part(sock)
        return asked

    both(peers, act)


@pytest.mark.parametrize("name", LIMITS)
def test_requests_on_one_connection(name: str, peers: list[Peer]) -> None:
    def act(where: Address, _: HoldingPod) -> list[str]:
        asked = []
        with connect(where, address()) as sock:
            while len(asked) < 6 and CUT not in asked:
                asked.append(ask(sock, name))
        return asked

    both(peers, act)


def test_requests_at_once(peers: list[Peer]) -> None:
    def act(where: Address, pod: HoldingPod) -> list[str]:
        source, asked = address(), []
        pod.release.clear()
        with contextlib.ExitStack() as held:
            socks = [held.enter_context(connect(where, source)) for _ in range(3)]
            for number, sock in enumerate(socks, start=1):
                sock.sendall(b"GET /hold HTTP/1.1\r\nHost: concurrent-t-4.t\r\n\r\n")
                until("the pod has it", lambda number=number: pod.now == number)
            with connect(where, source) as sock:
                asked.append(ask(sock, "concurrent-t-4"))
            pod.release.set()
            asked += map(answered, socks)
            until("they are over", lambda: pod.now == 0)
            with connect(where, source) as sock:
                asked.append(ask(sock, "concurrent-t-4"))
        return asked

    assert both(peers, act) == [CUT, "200", "200", "200", "200"]


def test_requests_that_wait_for_a_pod(peers: list[Peer]) -> None:
    def act(where: Address, pod: HoldingPod) -> list[str]:
        source = address()
        pod.release.clear()
        with contextlib.ExitStack() as held:
            socks = [held.enter_context(connect(where, source)) for _ in range(3)]
            for number, sock in enumerate(socks[:2], start=1):
                sock.sendall(b"GET /hold HTTP/1.1\r\nHost: two.t\r\n\r\n")
                until("the pod has it", lambda number=number: pod.now == number)
            too_late = ask(socks[2], "two")
            last = held.enter_context(connect(where, source))
            last.sendall(b"GET /last HTTP/1.1\r\nHost: two.t\r\n\r\n")
            pod.release.set()
            return [too_late, *map(answered, socks[:2]), answered(last), str(pod.most <= 3)]

    assert both(peers, act) == ["503", "200", "200", "200", "True"]


@pytest.mark.parametrize("part", [part for part, _ in THROUGH])
@pytest.mark.parametrize("stays", [True, False])
def test_connections_that_are_handed_through(part: str, stays: bool, peers: list[Peer]) -> None:
    def act(where: Address, _: HoldingPod) -> list[str]:
        source, greeted = address(), []
        tls = where[0], TLS_PORTS[where[0]]
        with contextlib.ExitStack() as held:
            for _ in range(5):
                sock = held.enter_context(connect(tls, source))
                sock.sendall(hello(f"through-{part}.t".encode()))
                greeted.append(said(sock))
                if not stays:
                    sock.close()
                    if part == "concurrent-tcp":
                        until("it is forgotten", lambda: _comes(tls, source, part))
        return greeted

    both(peers, act)


def said(sock: socket.socket) -> str:
    """Give what the pod has said; nothing if the connection was cut."""
    try:
        return sock.recv(100).decode()
    except ConnectionError:
        return ""


def _comes(where: Address, source: str, part: str) -> bool:
    with connect(where, source) as sock:
        sock.sendall(hello(f"through-{part}.t".encode()))
        return bool(said(sock))
