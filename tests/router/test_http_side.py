"""What a request to each kind of Route gets, from a worker without sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ingress_objects import Object, controller, endpoints, route, service
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_proxy.counters import Counters
from podway_proxy.http.head import read_head
from podway_proxy.http.request import Request
from podway_proxy.http.target import Target
from podway_proxy.log import Log
from podway_proxy.plane.plane import Plane
from podway_proxy.process.daemon import WorkerLink
from podway_proxy.values import Arrival
from podway_router.compile import compile_snapshot
from podway_router.http_side import HttpSide
from podway_router.options import read
from podway_router.worker import Worker

OPTIONS: dict[str, Any] = {
    "name": ["apps"],
    "bind": [],
    "http": None,
    "https": None,
    "proxy_protocol": [],
    "external_https_port": 443,
    "allow_loopback_endpoints": True,
    "access_log": False,
    "client_affinity": False,
}
H = "haproxy.router.openshift.io/"
HERE = Arrival(("192.0.2.1", 1), ("192.0.2.2", 80), ("192.0.2.1", 1))


def side_of(directory: Path, *objects: Object | list[Object]) -> HttpSide:
    """Give the HTTP side of a worker with these objects."""
    Manifests(directory).put("all", controller("apps", 10080, 10443), *objects)
    entries = compile_snapshot(load([directory]), read(OPTIONS)).compiled.entries
    log = Log("podway-router", "apps", "worker")
    worker = Worker(WorkerLink(Plane(), log, Counters(), OPTIONS))
    worker.apply(entries, entries.keys())
    side = worker._side("http", "apps", ("192.0.2.2", 80))
    assert isinstance(side, HttpSide)
    return side


def asked(side: HttpSide, host: str) -> object:
    request = read_head(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
    assert isinstance(request, Request)
    return side.front.route(request, HERE)


@pytest.mark.parametrize("annotations", [{}, {H + "ip_allowlist": "192.0.2.0/24"}])
def test_what_a_route_asks_for_is_put_together_once(
    tmp_path: Path, annotations: dict[str, str]
) -> None:
    """An allowlist had everything made anew for each request: seven times the CPU."""
    web = [service("web"), *endpoints("web", ("127.128.1.1", 80))]
    side = side_of(tmp_path, web, route("web", "w.t", "web", annotations=annotations))
    first = asked(side, "w.t")
    assert isinstance(first, Target)
    assert first is asked(side, "w.t")
    side.renew()
    assert first is not asked(side, "w.t")
