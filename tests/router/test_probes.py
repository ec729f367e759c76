from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_proxy.process.spec import ProbeSpec
from podway_router.compile import compile_snapshot
from podway_router.material import Material
from podway_router.options import Options

APPS = controller("apps", 80, 443)
PODS = [("127.128.1.1", 80), ("127.128.1.2", 80)]
WEB = [service("web"), *endpoints("web", *PODS)]
EDGE = {"termination": "edge"}
REENCRYPT = {"termination": "reencrypt"}
SLOW = {"router.openshift.io/haproxy.health.check.interval": "9s"}


@pytest.fixture
def compiled(tmp_path: Path) -> Any:
    def make(*objects: Any, **compiling: Any) -> Any:
        Manifests(tmp_path).put("all", *objects)
        options = Options(("apps",), allow_loopback=True)
        return compile_snapshot(load([tmp_path]), options, **compiling)

    return make


def probes(found: Any) -> set[ProbeSpec]:
    assert {probe.host for probe in found.compiled.probes} == {host for host, _ in PODS}
    return {probe._replace(host="", name="") for probe in found.compiled.probes}


def test_plain_and_edge_pods_are_connected_to(compiled: Any) -> None:
    found = compiled(APPS, WEB, route("a", "a.t", "web"), route("b", "b.t", "web", tls=EDGE))
    assert probes(found) == {ProbeSpec("", 80)}


def test_reencrypt_pods_are_greeted_as_requests_greet_them(compiled: Any) -> None:
    found = compiled(APPS, WEB, route("a", "a.t", "web", tls=REENCRYPT))
    (probe,) = probes(found)
    assert probe.tls is not None
    assert (probe.tls.server_name, probe.tls.names) == ("a.t", ("web.shop.svc",))


def test_where_routes_disagree_the_connect_alone_is_checked(compiled: Any) -> None:
    secure = [route(name, f"{name}.t", "web", tls=REENCRYPT) for name in "ab"]
    plain = route("plain", "p.t", "web", annotations=SLOW)
    for routes in ([secure[0], plain], [plain, secure[0]], secure, [*secure, plain]):
        assert probes(compiled(APPS, WEB, *routes)) == {ProbeSpec("", 80)}
    again = route("a", "a.t", "web", path="/x", tls=REENCRYPT, annotations=SLOW)
    again["metadata"]["name"] = "again"
    (probe,) = probes(compiled(APPS, WEB, secure[0], again))
    assert probe.tls is not None


@pytest.mark.parametrize("number", [0, 1])
def test_no_choice_no_check(compiled: Any, number: int) -> None:
    web = [service("web"), *endpoints("web", *PODS[:number])]
    found = compiled(APPS, web, route("a", "a.t", "web", tls=REENCRYPT))
    assert found.compiled.probes == ()


def test_another_default_ca_makes_other_checks(compiled: Any) -> None:
    objects = APPS, WEB, route("a", "a.t", "web", tls=REENCRYPT)
    before = compiled(*objects, material=Material(ca="one"))
    same = compiled(*objects, material=Material(ca="one"), before=before)
    assert same.compiled.probes is before.compiled.probes
    after = compiled(*objects, material=Material(ca="two"), before=before)
    assert [probe.tls.ca for probe in after.compiled.probes if probe.tls] == ["two", "two"]
