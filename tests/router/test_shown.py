from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ingress_objects import controller, endpoints, ingress, route, service
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_router.compile import compile_snapshot
from podway_router.options import Options
from podway_router.shown import controllers, ingresses, routes


@pytest.fixture
def told(tmp_path: Path) -> Any:
    """Give what is shown of each Route, by name."""

    def make(*objects: Any, **spec: Any) -> dict[str, Any]:
        Manifests(tmp_path).put("all", controller("apps", 1080, 1443, **spec), *objects)
        compilation = compile_snapshot(load([tmp_path]), Options(("apps",)))
        found = routes(compilation)
        assert json.loads(json.dumps(found)) == found
        return {one["name"]: one for one in found}

    return make


def status(told: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = told[name]["status"]["ingress"]
    assert found["routerName"] == "apps"
    assert found["routerCanonicalHostname"] == "router-apps.apps.example.test"
    return dict(found)


def condition(told: dict[str, Any], name: str) -> tuple[str, str]:
    (found,) = status(told, name)["conditions"]
    assert found["type"] == "Admitted"
    assert ("message" in found) == (found["status"] == "False")
    return found["status"], found.get("reason", "")


WEB = service("web")
ADMITTED = ("True", "")


def test_every_reason(told: Any) -> None:
    edge, through = {"termination": "edge"}, {"termination": "passthrough"}
    found = told(
        WEB,
        route("a-first", "h.t", "web", path="/"),
        route("b-path", "h.t", "web", path="/b"),
        route("c-twin", "h.t", "web", path="/b"),
        route("d-other", "h.t", "web", namespace="else", path="/d"),
        route("e-wild", "w.w.t", "web", wildcardPolicy="Subdomain"),
        route("f-invalid", "", "web", subdomain="x" * 60 + ".y"),
        route("g-through", "t.t", "web", tls=through),
        route("h-edge", "t.t", "web", tls=edge),
        route("i-beside", "t.t", "web", path="/i"),
        route("j-generated.one", "", "web"),
        route("k-sub", "", "web", subdomain="sub"),
    )
    conditions = {name: condition(found, name) for name in found}
    assert conditions == {
        "a-first": ADMITTED,
        "b-path": ADMITTED,
        "c-twin": ("False", "HostAlreadyClaimed"),
        "d-other": ("False", "HostAlreadyClaimed"),
        "e-wild": ("False", "RouteNotAdmitted"),
        "f-invalid": ADMITTED,
        "g-through": ADMITTED,
        "h-edge": ("False", "HostAlreadyClaimed"),
        "i-beside": ADMITTED,
        "j-generated.one": ADMITTED,
        "k-sub": ADMITTED,
    }
    assert status(found, "e-wild")["wildcardPolicy"] == "Subdomain"
    assert status(found, "e-wild")["host"] == "w.w.t"
    assert status(found, "k-sub")["host"] == "sub.apps.example.test"
    assert status(found, "j-generated.one")["host"] == "j-generated-one-shop.apps.example.test"
    assert found["j-generated.one"]["generated"]
    assert not found["k-sub"]["generated"]


def test_the_cookie_and_where_it_alone_leads(told: Any) -> None:
    named = {"router.openshift.io/cookie_name": "pod"}
    old = [service("old"), endpoints("old", ("10.0.0.9", 80))]
    found = told(WEB, old, route("web", "w.t", {"web": 1, "old": 0}, annotations=named))
    assert found["web"]["cookie"] == "pod"
    assert found["web"]["kept"] == [{"address": "10.0.0.9:80", "name": ""}]


def test_generated_hosts_that_are_none(told: Any) -> None:
    found = told(WEB, route("x" * 60, "", "web"), route("no", "", "web"), domain="")
    (one,) = found["no"]["status"]["ingress"]
    assert one["conditions"][0]["reason"] == "NoHostValue"
    assert one["routerCanonicalHostname"] == ""
    found = told(WEB, route("x" * 60, "", "web"))
    assert condition(found, "x" * 60) == ("False", "InvalidHost")


def test_the_status_of_an_ingress_names_the_routers_that_admitted_it(tmp_path: Path) -> None:
    rules = (("h.t", "/", "Prefix", "web"), ("taken.t", "/", "Prefix", "web"))
    Manifests(tmp_path).put(
        "all",
        controller("apps", 1080, 1443, 1081),
        controller("other", 2080, 2443, 2081, routeSelector={"matchLabels": {"no": "body"}}),
        WEB,
        ingress("i", *rules, ("lost.t", "/", "Prefix", "nobody")),
        ingress("none", ("n.t", "/", "Prefix", "nobody")),
    )
    found = ingresses(compile_snapshot(load([tmp_path]), Options(("apps", "other"))))
    shown = {one["name"]: one for one in json.loads(json.dumps(found))}
    hostnames = shown["i"]["status"]["loadBalancer"]["ingress"]
    assert hostnames == [{"hostname": "router-apps.apps.example.test"}]
    assert len(shown["i"]["routes"]) == 2
    assert "there is no Service shop/nobody" in shown["i"]["problems"][0]
    assert shown["none"]["status"]["loadBalancer"]["ingress"] == []


def test_a_controller_has_the_status_of_the_api(tmp_path: Path) -> None:
    some = (WEB, route("a", "h.t", "web"), route("b", "h.t", "web", namespace="else"))
    Manifests(tmp_path).put("all", controller("apps", 1080, 1443), *some)
    (shown,) = controllers(compile_snapshot(load([tmp_path]), Options(("apps",))))
    assert isinstance(shown, dict)
    assert (shown["name"], shown["routes"], shown["admitted"]) == ("apps", 2, 1)
    assert shown["status"]["domain"] == "apps.example.test"
    assert shown["status"]["availableReplicas"] == 1
    assert {one["type"]: one["status"] for one in shown["status"]["conditions"]} == {
        "Admitted": "True",
        "Available": "True",
    }
