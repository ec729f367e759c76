"""Sticky sessions: real daemons, real pods, clients with cookie jars."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edge_site import SecurePod
from edge_site import Site as EdgeSite
from ingress_objects import Object, controller, endpoints, route, service
from ingress_rig import PATIENCE, Daemon, Manifests, Pod, address, free_port, get, until
from tls_rig import Ca
from websockets.sync.client import connect
from websockets.sync.server import Server, ServerConnection, serve

pytestmark = pytest.mark.live
NAMES = ("blue", "green", "red")
H = "haproxy.router.openshift.io/"
SLOW_CHECKS = {"router.openshift.io/haproxy.health.check.interval": "1h"}


class Client:
    """One with a cookie jar, and a connection of its own for each request."""

    def __init__(self, where: tuple[str, int], host: str = "web.t") -> None:
        self._where, self._host = where, host
        self.cookie = ""
        self.sets = 0

    def ask(self) -> str:
        """Give the pod that answers; empty for an answer of the router itself."""
        jar = {"Cookie": f"mine=1; {self.cookie}"} if self.cookie else {}
        status, body, fields = get(self._where, self._host, **jar)
        if "set-cookie" in fields:
            self.cookie = fields["set-cookie"].partition(";")[0]
            self.sets += 1
        if status != 200:
            return ""
        sent = [value for name, value in body["headers"] if name == "cookie"]
        assert sent == (["mine=1"] if jar else []), "the pod sees the client's own cookie alone"
        return str(body["pod"])


class Site:
    """A router in front of three pods, each a Service of its own and all of Service web."""

    def __init__(self, folder: Path) -> None:
        (folder / "manifests").mkdir()
        self.manifests = Manifests(folder / "manifests")
        self.host = address()
        self.where = (self.host, free_port(self.host))
        self.https = free_port(self.host)
        self.pods = {name: Pod(name) for name in NAMES}
        self.weigh(blue=1, green=1, red=1)

    def weigh(self, **weights: int) -> None:
        """Put the Route with these weights."""
        self.put(route("web", "web.t", weights, annotations=SLOW_CHECKS))

    def put(self, *objects: Object) -> None:
        apps = controller("apps", self.where[1], self.https)
        pods = [[service(n), endpoints(n, pod.where)] for n, pod in self.pods.items()]
        self.manifests.put("site", apps, *pods, *objects)

    def router(self, *, workers: int = 1, host: str = "") -> Daemon:
        usual = ("--name", "apps", "--bind", host or self.host, "--allow-loopback-endpoints")
        return Daemon("podway-router", self.manifests, *usual, workers=workers)

    def clients(self, count: int = 6) -> list[tuple[Client, str]]:
        """Give clients that have been to their pods once, all three of them."""
        made = [(client, client.ask()) for client in (Client(self.where) for _ in range(count))]
        assert {pod for _, pod in made} == set(NAMES)
        return made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with contextlib.ExitStack() as stack:
        for pod in made.pods.values():
            stack.enter_context(pod)
        yield made


def test_a_client_stays_with_its_pod_in_every_worker_daemon_and_reload(site: Site) -> None:
    second = (address(), site.where[1])
    with site.router(workers=2), site.router(host=second[0]):
        clients = site.clients(12)
        for number in range(3):
            for client, pod in clients:
                assert [client.ask() for _ in range(3)] == [pod] * 3
                client._where = second if client._where == site.where else site.where
                assert client.ask() == pod, "the other daemon knows the cookie, too"
            site.put(
                route("web", "web.t", dict.fromkeys(NAMES, 1), annotations=SLOW_CHECKS),
                route("more", f"more{number}.t", "blue"),
            )
            until(
                "the change is in force", lambda n=number: get(site.where, f"more{n}.t")[0] == 200
            )
        assert {client.sets for client, _ in clients} == {1}, "set once, never again"


def test_a_service_of_weight_0_keeps_the_clients_that_it_has(site: Site) -> None:
    with site.router() as router:
        clients = site.clients()
        site.weigh(blue=0, green=1, red=1)
        until(
            "blue is taken out of the rotation",
            lambda: "blue" not in {Client(site.where).ask() for _ in range(6)},
        )
        assert [client.ask() for client, _ in clients] == [pod for _, pod in clients]
        site.weigh(blue=0, green=0, red=0)
        until("nobody new is served", lambda: not Client(site.where).ask())
        assert [client.ask() for client, _ in clients] == [pod for _, pod in clients]
        (web,) = (one for one in router.debug("routes") if one["name"] == "web")
        assert web["step"] == "no-endpoint"
        unknown = Client(site.where)
        unknown.cookie = clients[0][0].cookie.partition("=")[0] + "=unknown"
        assert unknown.ask() == ""


def test_a_pod_that_terminates_keeps_its_clients_while_it_serves(site: Site) -> None:
    web = [service("web"), route("web", "web.t", "web", annotations=SLOW_CHECKS)]

    def slices(**conditions: Any) -> list[Object]:
        made = []
        for name, pod in site.pods.items():
            (one,) = endpoints("web", pod.where)
            one["metadata"]["name"] = f"web-{name}"
            one["endpoints"][0]["conditions"] = conditions if name == "blue" else {}
            made.append(one)
        return made

    site.put(*web, *slices())
    with site.router():
        clients = [(client, client.ask()) for client in (Client(site.where) for _ in range(30))]
        assert {pod for _, pod in clients} == set(NAMES)
        site.put(*web, *slices(ready=False, serving=True, terminating=True))
        until(
            "blue gets nobody new",
            lambda: "blue" not in {Client(site.where).ask() for _ in range(20)},
        )
        assert [client.ask() for client, _ in clients] == [pod for _, pod in clients]
        site.put(*web, *slices(ready=False, serving=False, terminating=True))
        blues = [client for client, pod in clients if pod == "blue"]
        until("blue is gone", lambda: "blue" not in {client.ask() for client in blues})
        for client, pod in clients:
            assert client.ask() in ({"green", "red"} if pod == "blue" else {pod})
            assert client.sets == (2 if pod == "blue" else 1)


def test_a_killed_pods_clients_get_another_and_a_new_cookie(site: Site) -> None:
    with site.router():
        clients = site.clients()
        site.pods["blue"].kill()
        for client, pod in clients:
            now = client.ask()
            assert now in ({"green", "red"} if pod == "blue" else {pod})
            assert client.sets == (2 if pod == "blue" else 1)
            assert client.ask() == now


def test_a_pod_that_fails_its_checks_loses_its_clients(site: Site) -> None:
    checks = {"router.openshift.io/haproxy.health.check.interval": "100ms"}
    site.put(route("web", "web.t", dict.fromkeys(NAMES, 1), annotations=checks))
    with site.router() as router:
        clients = site.clients()
        site.pods["blue"].kill()
        until("blue is down", lambda: "endpoint down" in {one["event"] for one in router.events()})
        for client, pod in clients:
            assert client.ask() in ({"green", "red"} if pod == "blue" else {pod})


def test_a_route_that_wants_no_cookies(site: Site) -> None:
    off = {H + "disable_cookies": "true", H + "balance": "roundrobin"}
    site.put(route("web", "web.t", dict.fromkeys(NAMES, 1), annotations=off))
    with site.router():
        client = Client(site.where)
        assert Counter(client.ask() for _ in range(6)) == dict.fromkeys(NAMES, 2)
        assert client.sets == 0


def test_one_connection_for_clients_with_and_without_cookies(site: Site) -> None:
    """Keep-alive connections to pods carry requests of many clients: none gets another's cookie."""
    with site.router():
        clients = [(client.cookie, pod) for client, pod in site.clients()]
        connection = http.client.HTTPConnection(*site.where, timeout=PATIENCE)
        for cookie, pod in clients * 5:
            for jar in ({"Cookie": cookie}, {}):
                connection.request("GET", "/", headers={"Host": "web.t", **jar})
                response = connection.getresponse()
                body = response.read().decode()
                assert (f'"pod": "{pod}"' in body) or not jar
                assert bool(response.getheader("set-cookie")) is not bool(jar)
        connection.close()


def test_inside_tls_and_its_attributes(tmp_path: Path) -> None:
    site, ca = EdgeSite(tmp_path), Ca()
    same_site = {"router.openshift.io/cookie-same-site": "Lax"}
    named = {"router.openshift.io/cookie_name": "pod"}
    tls, allow = {"termination": "edge"}, {"insecureEdgeTerminationPolicy": "Allow"}
    again = {"termination": "reencrypt", "destinationCACertificate": ca.pem}
    with contextlib.ExitStack() as stack:
        plain = [stack.enter_context(Pod(name)) for name in NAMES]
        secure = [stack.enter_context(SecurePod(name, ca.server("pod.test"))) for name in NAMES]
        site.put(
            service("web"),
            *endpoints("web", *(pod.where for pod in plain)),
            service("secure"),
            *endpoints("secure", *(pod.where for pod in secure)),
            route("lax", "lax.apps.example.test", "web", tls=tls, annotations=same_site | named),
            route("allow", "allow.apps.example.test", "web", tls=tls | allow, annotations=named),
            route("again", "again.apps.example.test", "secure", tls=again, annotations=named),
        )
        with site.router(workers=2):
            for host, attributes in (
                ("lax", "; path=/; HttpOnly; Secure; SameSite=Lax"),
                ("allow", "; path=/; HttpOnly"),
                ("again", "; path=/; HttpOnly; Secure; SameSite=None"),
            ):
                _stays(site, f"https://{host}.apps.example.test/", attributes)


def _stays(site: EdgeSite, url: str, attributes: str) -> None:
    """Ask with curl's cookie jar."""
    jar = ("-c", str(site.directory / "jar"), "-b", str(site.directory / "jar"), "-i")
    status, told = site.curl(url, *jar)
    assert status == "200", told
    (line,) = re.findall("(?im)^set-cookie: (.*)$", told)
    assert re.fullmatch(f"pod=[0-9a-f]{{32}}{attributes}", line)
    (pod,) = re.findall('"pod": "([a-z]+)"', told)
    for _ in range(5):
        status, told = site.curl(url, *jar)
        assert (status, f'"pod": "{pod}"' in told) == ("200", True), told
        assert "set-cookie" not in told.lower()


@contextlib.contextmanager
def websockets(name: str) -> Iterator[Server]:
    """Run a WebSocket pod that says its name."""

    def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        cookie = connection.request.headers.get("Cookie", "")
        connection.send(f"{name} {cookie}")

    with serve(talk, address(), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_websockets_are_sticky(site: Site) -> None:
    with websockets("one") as one, websockets("two") as two:
        where = [each.socket.getsockname()[:2] for each in (one, two)]
        notes = {H + "balance": "roundrobin"}
        site.put(
            service("ws"), *endpoints("ws", *where), route("w", "w.t", "ws", annotations=notes)
        )
        with site.router():
            seen = set()
            for _ in range(2):
                with _websocket(site, "") as first:
                    cookie = first.response.headers["Set-Cookie"].partition(";")[0]
                    pod = str(first.recv(PATIENCE)).strip()
                seen.add(pod)
                for _ in range(3):
                    with _websocket(site, f"a=1; {cookie}") as again:
                        assert "Set-Cookie" not in again.response.headers
                        assert again.recv(PATIENCE) == f"{pod} a=1"
            assert seen == {"one", "two"}


def _websocket(site: Site, cookie: str) -> Any:
    jar = {"Cookie": cookie} if cookie else {}
    return connect("ws://w.t/", address=site.where, additional_headers=jar, proxy=None)
