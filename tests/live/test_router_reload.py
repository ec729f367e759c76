"""Reloads, signals and deaths under load: no request fails, no connection is cut."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hellos import hello
from ingress_objects import controller, endpoints, route, service
from ingress_rig import PATIENCE, Daemon, Load, Manifests, Pod, address, ask, free_port, get, until

pytestmark = pytest.mark.live


class Site:
    """A router of two workers in front of two pods, and what serves them."""

    def __init__(self, directory: Path) -> None:
        self.manifests = Manifests(directory)
        self.host = address()
        self.where = (self.host, free_port(self.host))
        self.https = free_port(self.host)
        self.pods = [Pod("blue"), Pod("green")]
        self.put()

    def put(self, *more: object) -> None:
        self.manifests.put(
            "site",
            controller("apps", self.where[1], self.https),
            service("web"),
            endpoints("web", *(pod.where for pod in self.pods)),
            route("web", "web.t", "web"),
            *more,
        )

    def router(self, *arguments: str) -> Daemon:
        usual = ("--name", "apps", "--bind", self.host, "--allow-loopback-endpoints")
        return Daemon("podway-router", self.manifests, *usual, *arguments)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    directory = tmp_path / "manifests"
    directory.mkdir()
    made = Site(directory)
    yield made
    for pod in made.pods:
        pod.kill()


@contextlib.contextmanager
def kept(site: Site) -> Iterator[http.client.HTTPConnection]:
    """Give a connection that has had its first answer and stays open."""
    connection = http.client.HTTPConnection(*site.where, timeout=PATIENCE)
    assert ask(connection, "web.t")[0] == 200
    sock = connection.sock
    yield connection
    assert connection.sock is sock, "it was ended in between"
    connection.close()


def has_route(site: Site, host: str) -> bool:
    return get(site.where, host)[0] == 200


class Echo:
    """A pod that gives back what it gets: with a ClientHello in front it is passed through to."""

    def __init__(self) -> None:
        self._listener = socket.create_server((address(), 0))
        self.where: tuple[str, int] = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            while data := sock.recv(65536):
                sock.sendall(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Tunnel:
    """A connection that is handed through by its server name, and stays open."""

    def __init__(self, where: tuple[str, int], name: bytes) -> None:
        self._sock = socket.create_connection(where, timeout=PATIENCE)
        self.number = 0
        self.say(hello(name))

    def say(self, data: bytes = b"") -> None:
        """Send something and get it back unchanged."""
        self.number += 1
        data = data or b"%d;" % self.number
        self._sock.sendall(data)
        back = b""
        while len(back) < len(data):
            more = self._sock.recv(65536)
            assert more, f"the tunnel was cut after {self.number} messages"
            back += more
        assert back == data

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def echo(site: Site) -> Iterator[Echo]:
    made = Echo()
    through = (
        service("echo"),
        endpoints("echo", made.where),
        route("echo", "echo.t", "echo", tls={"termination": "passthrough"}),
    )
    site.manifests.put("through", *through)
    yield made
    made.close()


def test_200_reloads_under_load(site: Site, echo: Echo) -> None:
    """Each of the 200 is seen to be in force before the next one is written."""
    with site.router() as router, kept(site) as idle, Load(site.where, "web.t") as load:
        tunnel = Tunnel((site.host, site.https), b"echo.t")
        for number in range(200):
            name = f"extra-{number}.t"
            site.put(route(f"extra-{number}", name, "web"))
            until(f"reload {number} is served", lambda name=name: has_route(site, name))
            tunnel.say()
        assert ask(idle, "web.t")[0] == 200, "opened before the first reload"
        tunnel.close()
        assert router.process.poll() is None
    assert load.faults == []
    assert load.reconnects == 0, "no connection is ended for a reload"
    assert min(load.answers["blue"], load.answers["green"]) > 0


def test_sighup_under_load(site: Site, echo: Echo) -> None:
    with site.router("--drain-timeout", "60") as router, Load(site.where, "web.t") as load:
        tunnel = Tunnel((site.host, site.https), b"echo.t")
        for _ in range(2):
            before = set(router.pids("worker"))
            router.process.send_signal(signal.SIGHUP)
            until(
                "new workers serve",
                lambda before=before: len(set(router.pids("worker")) - before) == 2,
            )
            until("the new ones are ready", router._is_ready)
            tunnel.say()
        first = len(router.pids("worker"))
        assert first > 2, "the worker that holds the tunnel lives until it ends"
        tunnel.close()
        until("the old ones are gone", lambda: len(router.pids("worker")) == 2)
    assert load.faults == []


def test_an_idle_connection_does_not_hold_up_the_end(site: Site) -> None:
    with site.router("--drain-timeout", "30") as router, kept(site) as idle:
        assert router.stop() == 0, "it ends before the drain's time is up"
        assert idle.sock.recv(1) == b"", "closed, not reset"


def test_a_killed_worker_is_replaced(site: Site) -> None:
    with site.router() as router:
        before = router.pids("worker")
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        until(
            "two workers again",
            lambda: len(router.pids("worker")) == 2 and before[0] not in router.pids("worker"),
        )
        until("it serves", lambda: router.get("/healthz/ready")[0] == 200)
        for _ in range(8):
            assert get(site.where, "web.t")[0] == 200


def test_a_killed_loader_hands_on_the_objects_that_are_held(site: Site) -> None:
    with site.router() as router:
        good = (site.manifests.directory / "site.json").read_text()
        site.manifests.text("site.json", good.replace('"web.t"', '"Not A Host"'))
        until("the problem is seen", lambda: router.debug("problems"))
        assert get(site.where, "web.t")[0] == 200, "the last good version serves"
        (loader,) = router.pids("loader")
        os.kill(loader, signal.SIGKILL)
        until("another loader", lambda: router.pids("loader") not in ([], [loader]))
        until("it is ready", lambda: router._is_ready())
        until("it knows the problem", lambda: router.debug("problems"))
        for _ in range(8):
            assert get(site.where, "web.t")[0] == 200, "also after the loader's death"
        site.put(route("after", "after.t", "web"))
        until("changes are followed again", lambda: has_route(site, "after.t"))


def test_a_bad_yaml_file_beside_good_ones(site: Site) -> None:
    with site.router() as router:
        site.manifests.text("bad.yaml", "kind: Route\nmetadata: [\n")
        found = until("the problem is reported", lambda: router.debug("problems"))
        assert "bad.yaml:" in found[0]
        site.put(route("more", "more.t", "web"))
        until("good files are still followed", lambda: has_route(site, "more.t"))
        assert get(site.where, "web.t")[0] == 200
