"""`httpErrorCodePages` of a real router, changed while it serves."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge_site import Site
from ingress_objects import Object, endpoints, route, service
from ingress_rig import Daemon, Pod, address, free_port, get, until

pytestmark = pytest.mark.live
KEYS = ("error-page-503.http", "error-page-404.http")


def page(status: int, body: str) -> str:
    return f"HTTP/1.0 {status} Sorry\nConnection: close\nContent-Type: text/x-own\n\n{body}"


def config_map(p503: str = "", p404: str = "") -> Object:
    named = {key: text for key, text in zip(KEYS, (p503, p404), strict=True) if text}
    meta = {"name": "pages", "namespace": "openshift-config"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": named}


@pytest.fixture
def pod() -> Iterator[Pod]:
    with Pod("pod-1") as one:
        yield one


@pytest.fixture
def site(tmp_path: Path, pod: Pod) -> Site:
    made = Site(tmp_path)
    made.spec["httpErrorCodePages"] = {"name": "pages"}
    refusing = address()
    made.objects = [
        *made.pod("web", pod),
        service("dead"),
        *endpoints("dead", (refusing, free_port(refusing))),
        route("web", "web.t", "web"),
        route("edge", "edge.t", "web", tls={"termination": "edge"}),
        route("dead", "dead.t", "dead"),
        route("nobody", "nobody.t", "absent"),
    ]
    return made


def answers(site: Site, host: str) -> tuple[int, str, str]:
    status, body, headers = get((site.host, site.http), host)
    return status, headers.get("content-type", ""), str(body.get("page", ""))


def problems(router: Daemon) -> str:
    return "\n".join(router.debug("problems"))


def test_pages_are_served_and_change_while_serving(site: Site) -> None:
    site.put(config_map(p503=page(503, "we are sorry"), p404=page(404, "who?")))
    with site.router() as router:
        for host in ("dead.t", "nobody.t"):
            assert answers(site, host) == (503, "text/x-own", "we are sorry")
        for host in ("unknown.t", "edge.t"):
            assert answers(site, host) == (404, "text/x-own", "who?")
        assert answers(site, "web.t")[0] == 200
        status, body = site.curl("https://edge.t/", "-k", "-H", "Host: unknown.t")
        assert (status, body) == ("404", "who?")

        connection = http.client.HTTPConnection(site.host, site.http, timeout=10)
        for _ in range(3):  # the page's own Connection: close does not end the connection
            connection.request("GET", "/", headers={"Host": "unknown.t"})
            assert connection.getresponse().read() == b"who?"
        connection.request("HEAD", "/", headers={"Host": "unknown.t"})
        head = connection.getresponse()
        assert head.read() == b""
        assert head.headers["content-length"] == "4"
        connection.close()

        site.put(config_map(p503=page(503, "still")))
        until("the other page", lambda: answers(site, "nobody.t")[2] == "still")
        assert answers(site, "unknown.t") == (503, "text/x-own", "still")

        site.put(config_map(p503="sorry\n\n", p404=page(404, "who?")))
        until("the problem", lambda: "does not begin with a status line" in problems(router))
        assert "configmap openshift-config/pages: data[error-page-503.http]" in problems(router)
        until("our own page", lambda: "no-service" in answers(site, "nobody.t")[2])
        assert answers(site, "unknown.t") == (404, "text/x-own", "who?")

        site.put()
        until("the problem", lambda: "no ConfigMap openshift-config/pages" in problems(router))
        until("our own page", lambda: "no-route" in answers(site, "unknown.t")[2])
        assert answers(site, "unknown.t")[0] == 503
