"""Metrics of a real router, per Route and by the OpenShift router's names."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge_site import Site
from ingress_objects import Object, endpoints, route, service
from ingress_rig import Daemon, Pod, address, free_port, get, until

pytestmark = pytest.mark.live


@pytest.fixture
def pod() -> Iterator[Pod]:
    with Pod("pod-1") as one:
        yield one


@pytest.fixture
def site(tmp_path: Path, pod: Pod) -> Site:
    made = Site(tmp_path)
    dead = address()
    made.objects = [
        *made.pod("web", pod),
        service("dead"),
        *endpoints("dead", (dead, free_port(dead))),
        *routes("a", "b", "c"),
        route("dead", "dead.t", "dead"),
        route("edge", "edge.t", "web", tls={"termination": "edge"}),
        route("pass", "pass.t", "web", tls={"termination": "passthrough"}),
    ]
    return made


def routes(*names: str) -> list[Object]:
    return [route(name, f"{name}.t", "web") for name in names]


def ask(site: Site, *hosts: str) -> None:
    for host in hosts:
        get((site.host, site.http), f"{host}.t")


def metrics(router: Daemon) -> dict[str, float]:
    """Series to values; labels in the order of their names."""
    found = {}
    for line in router.get("/metrics")[1].splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if match:
            labels = ",".join(sorted((match[2] or "").replace('"', "").split(",")))
            found[f"{match[1]}{{{labels}}}"] = float(match[3])
    return found


def requests(route: str, code: str = "2xx") -> str:
    spaces = "controller=apps,namespace=shop" if route != "other" else OTHER
    return f"podway_router_route_requests_total{{code={code},{spaces},route={route}}}"


def counted(router: Daemon, name: str, value: float) -> None:
    until(f"{name} is {value}", lambda: metrics(router).get(name) == value)


OTHER = "controller=other,namespace=other"


def test_each_route_has_its_numbers_and_keeps_them(site: Site) -> None:
    site.put()
    with site.router("--route-metrics", "500", workers=2) as router:
        ask(site, "a", "a", "b", "dead")
        counted(router, requests("dead", "5xx"), 1)  # a worker counts after it has answered
        counted(router, requests("a"), 2)
        said = metrics(router)
        assert said[requests("b")] == 1
        assert said[requests("c")] == 0
        assert said[requests("dead", "5xx")] == 1
        failures = "podway_router_route_connect_failures_total"
        assert said[f"{failures}{{controller=apps,namespace=shop,route=dead}}"] == 1
        assert not any("haproxy_" in name or "route_bytes" in name for name in said)

        (loader,) = router.pids("loader")
        os.kill(loader, signal.SIGKILL)
        until("another loader", lambda: router.pids("loader") not in ([], [loader]))
        router.ready()
        until("its metrics", lambda: metrics(router).get(requests("a")) == 2)
        ask(site, "a")
        counted(router, requests("a"), 3)

        site.objects = [one for one in site.objects if one["metadata"]["name"] != "a"]
        site.put()
        until("it is gone", lambda: requests("a") not in metrics(router))
        site.put(*routes("d"))
        until("a new one", lambda: requests("d") in metrics(router))
        assert metrics(router)[requests("d")] == 0  # not what the place counted before
        assert metrics(router)[requests("b")] == 1


def test_routes_beyond_the_cap_share_a_place(site: Site) -> None:
    site.put()
    with site.router("--route-metrics", "1") as router:
        ask(site, "a", "b", "c", "dead")
        counted(router, requests("other"), 2)
        said = metrics(router)
    own = [name for name in said if "route_requests_total{code=2xx" in name]
    assert len(own) == 2
    assert sum(said[name] for name in own) == 3
    assert said[requests("other")] == 2


def test_the_openshift_routers_names(site: Site, pod: Pod) -> None:
    site.put()
    with site.router("--openshift-metrics") as router:
        ask(site, "a", "a", "b", "dead", "unknown")
        site.curl("https://edge.t/", "-k")
        site.curl("https://pass.t/", "-k")
        until("all are counted", lambda: _sum(metrics(router), "haproxy_backend_conn") >= 7)
        counted(router, "podway_router_request_seconds_bucket{le=+Inf}", 6)
        said = metrics(router)
    web = "backend=http,namespace=shop,route=a"
    assert said[f"haproxy_backend_http_responses_total{{backend=http,code=2xx,{web[13:]}}}"] == 2
    assert said[f"haproxy_backend_connections_total{{{web}}}"] == 2
    assert said[f"haproxy_backend_bytes_in_total{{{web}}}"] > 60
    assert said[f"haproxy_backend_bytes_out_total{{{web}}}"] > 200
    assert said[f"haproxy_backend_up{{{web}}}"] == 1
    assert said["haproxy_backend_connections_total{backend=tcp,namespace=shop,route=pass}"] == 1
    edge = "{backend=https-edge,code=2xx,namespace=shop,route=edge}"
    assert said[f"haproxy_backend_http_responses_total{edge}"] == 1
    dead = "{backend=http,namespace=shop,route=dead}"
    assert said[f"haproxy_backend_connection_errors_total{dead}"] == 1
    here = f"{pod.where[0]}:{pod.where[1]}"
    server = f"namespace=shop,pod=,route=a,server={here},service=web"
    assert said[f"haproxy_server_connections_total{{{server}}}"] == 2
    assert said[f"haproxy_server_up{{{server}}}"] == 1
    assert said["haproxy_frontend_http_responses_total{code=2xx,frontend=public}"] == 3
    assert said["haproxy_frontend_http_responses_total{code=5xx,frontend=public}"] == 2
    assert said["haproxy_frontend_connections_total{frontend=public}"] == 5
    assert said["haproxy_frontend_http_responses_total{code=2xx,frontend=fe_sni}"] == 1
    assert said["haproxy_up{}"] == 1
    assert said["template_router_reload_seconds_count{}"] >= 1
    assert said["podway_router_request_seconds_bucket{le=+Inf}"] == 6
    assert said["podway_router_request_seconds_bucket{le=30}"] == 6
    assert said["podway_router_request_seconds_sum{}"] > 0


def _sum(said: dict[str, float], prefix: str) -> float:
    return sum(value for name, value in said.items() if name.startswith(prefix))
