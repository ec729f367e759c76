"""Pods that leave: what is under way ends well, and nothing new goes there."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Daemon, Load, Manifests, Pod, address, free_port, get, until

pytestmark = pytest.mark.live
NOTES = {
    "haproxy.router.openshift.io/balance": "roundrobin",
    "router.openshift.io/haproxy.health.check.interval": "1h",
}


class Site:
    """A router of two workers, and the pods behind its Route."""

    def __init__(self, folder: Path) -> None:
        (folder / "manifests").mkdir()
        self.manifests = Manifests(folder / "manifests")
        host = address()
        self.where = (host, free_port(host))
        self.changes = 0

    def put(self, *pods: Pod) -> None:
        """Let just these pods serve from now on."""
        self.changes += 1
        self.manifests.put(
            "site",
            controller("apps", self.where[1], free_port(self.where[0])),
            service("web"),
            endpoints("web", *(pod.where for pod in pods)),
            route("web", "web.t", "web", annotations=NOTES),
            route("change", f"change-{self.changes}.t", "web"),
        )

    def change(self, *pods: Pod) -> None:
        """Do so, and wait until both workers go by it."""
        self.put(*pods)
        host = f"change-{self.changes}.t"
        until("the change is in force", lambda: all(self._knows(host) for _ in range(8)))

    def _knows(self, host: str) -> bool:
        return get(self.where, host)[0] == 200

    def router(self) -> Daemon:
        usual = ("--name", "apps", "--bind", self.where[0], "--allow-loopback-endpoints")
        return Daemon("podway-router", self.manifests, *usual, workers=2)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@contextlib.contextmanager
def holding(where: tuple[str, int], count: int) -> Iterator[list[str]]:
    """Have requests under way that their pods hold back; gives who answered, when it is over."""
    pods: list[str] = []

    def ask() -> None:
        status, body, _ = get(where, "web.t", **{"X-Hold": "1"})
        pods.append(body["pod"] if status == 200 else f"{status} {body}")

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield pods
    for thread in threads:
        thread.join()


def test_what_is_under_way_ends_well_when_its_pod_leaves(site: Site) -> None:
    with Pod("blue") as blue, Pod("green") as green:
        site.put(blue, green)
        with site.router(), Load(site.where, "web.t", method="POST") as load:
            with holding(site.where, 24) as answered:
                until("all are with their pods", lambda: blue.held + green.held == 24)
                held = {"blue": blue.held, "green": green.held}
                assert min(held.values()) > 0
                site.change(green)
                before = blue.requests
                assert {get(site.where, "web.t")[1]["pod"] for _ in range(20)} == {"green"}
                assert blue.requests == before
                blue.released.set()
                green.released.set()
            assert {name: answered.count(name) for name in held} == held
        assert load.faults == []


def test_pods_replaced_under_load(site: Site) -> None:
    """As a rollout does it: a new one comes, an old one is taken out, and ends a moment later.

    The requests are POSTs, which nobody may send twice.
    """
    with contextlib.ExitStack() as stack:
        pods = [stack.enter_context(Pod(f"pod-{number}")) for number in range(3)]
        site.put(*pods)
        with site.router(), Load(site.where, "web.t", 8, method="POST") as load:
            for number in range(3, 9):
                pods.append(stack.enter_context(Pod(f"pod-{number}")))
                site.change(*pods)
                old = pods.pop(0)
                site.change(*pods)
                enough = sum(load.answers.values()) + 200
                until(
                    "all clients go on", lambda enough=enough: sum(load.answers.values()) > enough
                )
                until("its last requests are answered", lambda old=old: old.under_way == 0)
                old.kill()
        assert load.faults == []
        assert set(load.answers) == {f"pod-{number}" for number in range(9)}
