"""Reloads, signals and deaths under load: no request fails, no connection is cut."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Daemon, Load, Manifests, Pod, address, free_port, get, held, until

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


def has_route(site: Site, host: str) -> bool:
    return get(site.where, host)[0] == 200


def version(router: Daemon) -> int:
    """Count the entries' routes: it changes with each reload below."""
    return len(router.debug("routes"))


def test_200_reloads_under_load(site: Site) -> None:
    with site.router() as router, held(site.where) as idle, Load(site.where, "web.t") as load:
        for number in range(200):
            site.put(route(f"extra-{number}", f"extra-{number}.t", "web"))
            if number % 20 == 19:
                name = f"extra-{number}.t"
                until(f"reload {number} is served", lambda name=name: has_route(site, name))
        idle.sendall(b"GET / HTTP/1.1\r\nHost: web.t\r\nConnection: close\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200"), "opened before the first reload"
        assert router.process.poll() is None
    assert load.faults == []
    assert load.reconnects == 0, "no connection is ended for a reload"
    assert min(load.answers["blue"], load.answers["green"]) > 0


def test_sighup_under_load(site: Site) -> None:
    with site.router() as router, Load(site.where, "web.t") as load:
        for _ in range(2):
            before = set(router.pids("worker"))
            router.process.send_signal(signal.SIGHUP)
            until(
                "new workers serve and the old ones are gone",
                lambda before=before: (
                    len(router.pids("worker")) == 2 and not before & set(router.pids("worker"))
                ),
            )
    assert load.faults == []


def test_an_idle_connection_does_not_hold_up_the_end(site: Site) -> None:
    with site.router("--drain-timeout", "30") as router, held(site.where) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: web.t\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        assert router.stop() == 0, "it ends before the drain's time is up"
        assert idle.recv(1) == b"", "closed, not reset"


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
