"""An endpoint that refuses is tried last for a while; those that terminate are the last resort."""

from __future__ import annotations

import http.client
import re
from pathlib import Path

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, Pod, address, ask, free_port, get, until

pytestmark = pytest.mark.live


class Site:
    """A router that is to start on its manifests."""

    def __init__(self, folder: Path) -> None:
        self.manifests = Manifests(folder / "manifests")
        self.manifests.directory.mkdir()
        self.host = address()
        self.http = (self.host, free_port(self.host))
        self.manifests.put("apps", controller("apps", self.http[1], free_port(self.host)))

    def router(self) -> Daemon:
        usual = ("--name", "apps", "--bind", self.host, "--allow-loopback-endpoints")
        return Daemon("podway-router", self.manifests, *usual, workers=1)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_killed_pod_is_met_a_few_times_only(site: Site) -> None:
    slow_checks = {"router.openshift.io/haproxy.health.check.interval": "1h"}
    notes = {**slow_checks, "haproxy.router.openshift.io/balance": "roundrobin"}
    with Pod("blue") as blue, Pod("green") as green:
        both = endpoints("web", blue.where, green.where)
        site.manifests.put("web", service("web"), both, route("w", "w.t", "web", annotations=notes))
        with site.router() as router:
            connection = http.client.HTTPConnection(*site.http, timeout=10)
            seen = {ask(connection, "w.t")[1]["pod"] for _ in range(4)}
            assert seen == {"blue", "green"}
            blue.kill()
            answers = [ask(connection, "w.t") for _ in range(60)]
            connection.close()
            assert {(status, body["pod"]) for status, body, _ in answers} == {(200, "green")}
            metrics = router.get("/metrics")[1]
            failures = re.search(r"podway_router_connect_failures_total (\d+)", metrics)
            assert failures is not None
            assert 1 <= int(failures[1]) < 10


def test_endpoints_that_terminate_serve_when_nobody_else_does(site: Site) -> None:
    with Pod("leaving") as leaving, Pod("ready") as ready:
        (going,) = endpoints("web", leaving.where)
        conditions = {"ready": False, "serving": True, "terminating": True}
        going["endpoints"][0]["conditions"] = conditions
        site.manifests.put("web", service("web"), going, route("w", "w.t", "web"))
        with site.router():
            assert get(site.http, "w.t")[1]["pod"] == "leaving"
            site.manifests.put("more", endpoints("web", ready.where))
            until(
                "the one that is ready serves", lambda: get(site.http, "w.t")[1]["pod"] == "ready"
            )
            assert {get(site.http, "w.t")[1]["pod"] for _ in range(10)} == {"ready"}
