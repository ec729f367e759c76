"""The router's HTTP port, with real daemons and pods."""

from __future__ import annotations

import http.client
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import BIN, Daemon, Manifests, Pod, address, ask, free_port, get, until

pytestmark = pytest.mark.live


class Site:
    """A router with the pods blue and green."""

    def __init__(self, manifests: Manifests) -> None:
        self.manifests = manifests
        self.host = address()
        self.http, self.https = free_port(self.host), free_port(self.host)
        self.blue, self.green = Pod("blue"), Pod("green")
        self.where = (self.host, self.http)

    def put(self, *objects: object, **spec: object) -> None:
        self.manifests.put("site", controller("apps", self.http, self.https, **spec), *objects)

    def pods(self) -> list[object]:
        return [
            service("blue"),
            endpoints("blue", self.blue.where),
            service("green"),
            endpoints("green", self.green.where),
        ]

    def router(self, *arguments: str, workers: int = 1) -> Daemon:
        usual = ("--name", "apps", "--bind", self.host, "--allow-loopback-endpoints")
        return Daemon("podway-router", self.manifests, *usual, *arguments, workers=workers)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    directory = tmp_path / "manifests"
    directory.mkdir()
    made = Site(Manifests(directory))
    with made.blue, made.green:
        yield made


def test_two_hosts_on_one_connection_reach_two_pods(site: Site) -> None:
    site.put(site.pods(), route("b", "blue.t", "blue"), route("g", "green.t", "green"))
    with site.router():
        connection = http.client.HTTPConnection(*site.where, timeout=10)
        for _ in range(3):
            for name in ("blue", "green"):
                status, body, _ = ask(connection, f"{name}.t", "/x?y")
                assert (status, body["pod"], body["path"]) == (200, name, "/x?y")
        connection.close()


def test_each_refusal_names_the_step_that_failed(site: Site) -> None:
    site.put(
        site.pods(),
        route("deep", "deep.t", "blue", path="/only"),
        route("lost", "lost.t", "nobody"),
        service("empty"),
        route("empty", "empty.t", "empty"),
        route("none", "none.t", {"blue": 0}),
        route("edge", "edge.t", "blue", tls={"termination": "edge"}),
    )
    with site.router("--access-log", "--explain") as router:
        for host, path, step, said in (
            ("blve.t", "/", "no-route", "no route has the host blve.t"),
            ("deep.t", "/other", "no-route", "covers the path /other"),
            ("lost.t", "/", "no-service", "route shop/lost: its Service does not exist"),
            ("empty.t", "/", "no-endpoint", "route shop/empty"),
            ("none.t", "/", "no-endpoint", "route shop/none"),
            ("edge.t", "/", "tls-only", "served over TLS only"),
        ):
            status, body, headers = get(site.where, host, path)
            assert status == 503, host
            assert f"{step}: " in body["page"], body
            assert said in body["page"], body
            assert headers["x-podway-reason"].startswith(f"{step}: "), headers
            assert headers["cache-control"] == "private, max-age=0, no-cache, no-store"
        seen = until(
            "the access log",
            lambda: [one for one in router.events() if one["event"] == "request"][5:] and True,
        )
        assert seen
        by_step = Counter(one["step"] for one in router.events() if one["event"] == "request")
        assert by_step["no-endpoint"] == 2
        whys = {one["reason"] for one in router.events() if one["event"] == "refused"}
        assert {"service shop/nobody does not exist", "all weights are 0"} <= whys
        routes = {one["name"]: one for one in router.debug("routes")}
        assert routes["lost"]["step"] == "no-service"
        metrics = router.get("/metrics")[1]
        assert 'podway_router_refused_total{step="tls-only"} 1' in metrics


def test_the_operators_log_names_the_nearest_host(site: Site) -> None:
    site.put(site.pods(), route("b", "blue.t", "blue"))
    with site.router() as router:
        get(site.where, "blve.t")
        refused = until(
            "the refusal is logged",
            lambda: [one for one in router.events() if one["event"] == "refused"],
        )
        assert refused[0]["detail"] == "nearest: blue.t"
        assert refused[0]["client"].startswith("127.")


def test_redirects_go_to_the_external_port(site: Site) -> None:
    tls = {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
    site.put(site.pods(), route("r", "r.t", "blue", tls=tls))
    with site.router("--external-https-port", "8443"):
        status, _, headers = get(site.where, "r.t:8080", "/a?b=c")
        assert status == 302
        assert headers["location"] == "https://r.t:8443/a?b=c"


def test_weights_are_exact(site: Site) -> None:
    site.put(site.pods(), route("ab", "ab.t", {"blue": 3, "green": 1}))
    with site.router():
        connection = http.client.HTTPConnection(*site.where, timeout=10)
        picked = Counter(ask(connection, "ab.t")[1]["pod"] for _ in range(80))
        connection.close()
    assert picked == {"blue": 60, "green": 20}


def test_a_killed_pod_is_left_for_the_next(site: Site) -> None:
    twins = [service("twins"), endpoints("twins", site.blue.where, site.green.where)]
    annotations = {
        "haproxy.router.openshift.io/balance": "roundrobin",
        "router.openshift.io/haproxy.health.check.interval": "200ms",
    }
    site.put(twins, route("t", "t.t", "twins", annotations=annotations))
    with site.router() as router:
        both = {get(site.where, "t.t")[1]["pod"] for _ in range(4)}
        assert both == {"blue", "green"}
        site.blue.kill()
        for _ in range(6):
            status, body, _ = get(site.where, "t.t")
            assert (status, body["pod"]) == (200, "green")
        key = f"down/{site.blue.where[0]}:{site.blue.where[1]}"
        until("the checks notice", lambda: key in router.debug("down"))
        failures = len([one for one in router.events() if one["event"] == "connect failed"])
        for _ in range(6):
            assert get(site.where, "t.t")[1]["pod"] == "green"
        after = len([one for one in router.events() if one["event"] == "connect failed"])
        assert after == failures, "an endpoint that is down is not tried"


def test_no_pod_at_all_is_a_connect_failure(site: Site) -> None:
    site.put(site.pods(), route("b", "blue.t", "blue"))
    site.blue.kill()
    with site.router():
        status, body, _ = get(site.where, "blue.t")
        assert status == 503
        assert "connect: " in body["page"]


def test_a_proxy_header_is_taken_from_trusted_addresses_only(site: Site) -> None:
    site.put(site.pods(), route("b", "blue.t", "blue"), protocol="PROXY")
    trusted = address()
    request = b"GET / HTTP/1.1\r\nHost: blue.t\r\nConnection: close\r\n\r\n"
    header = b"PROXY TCP4 192.0.2.7 198.51.100.1 4321 80\r\n"

    def talk(source: str, data: bytes) -> bytes:
        with socket.create_connection(site.where, 10, (source, 0)) as sock:
            sock.sendall(data)
            try:
                return b"".join(iter(lambda: sock.recv(65536), b""))
            except ConnectionResetError:
                return b""

    with site.router("--proxy-protocol", trusted):
        answer = talk(trusted, header + request)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'["x-forwarded-for", "192.0.2.7"]' in answer
        assert b'["x-forwarded-port", "80"]' in answer
        assert talk(trusted, request) == b"", "the header is required"
        assert talk("127.0.0.1", header + request) == b"", "not from anybody"
        assert talk("127.0.0.1", request) == b""


def test_forwarded_headers_follow_the_route_then_the_controller(site: Site) -> None:
    annotations = {"haproxy.router.openshift.io/set-forwarded-headers": "append"}
    site.put(
        site.pods(),
        route("own", "own.t", "blue", annotations=annotations),
        route("usual", "usual.t", "blue"),
        httpHeaders={"forwardedHeaderPolicy": "Never"},
    )
    with site.router():
        names = {name for name, _ in get(site.where, "own.t")[1]["headers"]}
        assert "x-forwarded-for" in names
        names = {name for name, _ in get(site.where, "usual.t")[1]["headers"]}
        assert "x-forwarded-for" not in names


def test_an_allowlist_cuts_who_is_not_on_it_and_never_fails_open(site: Site) -> None:
    name = "haproxy.router.openshift.io/ip_allowlist"
    site.put(
        site.pods(),
        route("in", "in.t", "blue", annotations={name: "127.0.0.0/8 10.0.0.1"}),
        route("out", "out.t", "green", annotations={name: "10.0.0.1"}),
        route("bad", "bad.t", "green", annotations={name: "every one"}),
    )
    with site.router():
        assert get(site.where, "in.t")[0] == 200
        for host in ("out.t", "bad.t"):
            with pytest.raises(ConnectionError):
                get(site.where, host)
        assert get(site.where, "in.t")[0] == 200
    assert site.green.requests == 0


def test_tuning_options_are_taken_over_while_it_serves(site: Site) -> None:
    site.put(site.pods(), route("b", "blue.t", "blue"))
    long = {"X-Long": "x" * 30_000}
    with site.router():
        assert get(site.where, "blue.t", **long)[0] == 431
        tuning = {"headerBufferBytes": 65536}
        site.put(site.pods(), route("b", "blue.t", "blue"), tuningOptions=tuning)
        until("the longer head is taken", lambda: get(site.where, "blue.t", **long)[0] == 200)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(BIN / "podway-router")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30)


def test_no_such_controller_is_a_start_up_error_that_names_those_there_are(site: Site) -> None:
    site.put()
    ended = run(
        "--name", "nobody", "--manifests", str(site.manifests.directory), "--bind", "127.0.0.1"
    )
    assert ended.returncode == 3
    assert "no IngressController is named nobody; there are: apps" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_protocol_and_flag_must_agree(site: Site) -> None:
    site.put(protocol="PROXY")
    ended = run("--name", "apps", "--manifests", str(site.manifests.directory), "--bind", site.host)
    assert ended.returncode == 3
    assert "give the load balancers' with --proxy-protocol" in ended.stderr


def test_check_prints_what_is_wrong_with_file_and_line(site: Site) -> None:
    site.put(route("lost", "lost.t", "nobody"))
    common = ("--name", "apps", "--manifests", str(site.manifests.directory), "--check")
    ended = run(*common)
    assert ended.returncode == 1
    assert "route shop/lost: spec.to.name: there is no Service shop/nobody" in ended.stdout
    site.put(site.pods(), route("b", "blue.t", "blue"))
    ended = run(*common)
    assert (ended.returncode, ended.stdout) == (0, "")
