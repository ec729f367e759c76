from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ingress_objects import backend, ingress, route, service
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_cluster.model import Route
from podway_router.ingress import expanded

SERVICES = [service("web"), service("api")]


@pytest.fixture
def made(tmp_path: Path) -> Any:
    """Give the Routes, by host and path, and what is said about the Ingress."""

    def make(*objects: Any) -> tuple[dict[tuple[str, str, bool], Route], list[str]]:
        Manifests(tmp_path).put("all", SERVICES, *objects)
        snapshot, _ = expanded(load([tmp_path]), {})
        assert all(key == one.meta.key for key, one in snapshot.routes.items())
        routes = {(one.host, one.path, one.exact): one for one in snapshot.routes.values()}
        assert len(routes) == len(snapshot.routes)
        return routes, [f"{one.field}: {one.message}" for one in snapshot.problems]

    return make


@pytest.mark.parametrize(
    ("path", "kind", "spec", "exact"),
    [
        ("/", "Prefix", "/", False),
        ("/a", "Prefix", "/a", False),
        ("/a/", "Prefix", "/a", False),
        ("/a/b//", "Prefix", "/a/b", False),
        ("/a/", "Exact", "/a/", True),
        ("/", "Exact", "/", True),
        ("/a/", "ImplementationSpecific", "/a/", False),
        ("", "ImplementationSpecific", "/", False),
    ],
)
def test_path_types(made: Any, path: str, kind: str, spec: str, exact: bool) -> None:
    routes, problems = made(ingress("i", ("h.t", path, kind, "web")))
    assert list(routes) == [("h.t", spec, exact)]
    assert problems == []


def test_a_route_says_whose_it_is_and_keeps_labels_and_annotations(made: Any) -> None:
    wanted = {"haproxy.router.openshift.io/timeout": "5s"}
    one = ingress("i", ("h.t", "/", "Prefix", "web"), annotations=wanted)
    one["metadata"]["labels"] = {"shard": "ext"}
    ((_, found),) = made(one)[0].items()
    assert found.meta.owner == "Ingress/i"
    assert found.meta.name.startswith("i-")
    assert found.meta.label == f"route shop/{found.meta.name}"
    assert (found.meta.labels, found.meta.annotations) == ({"shard": "ext"}, wanted)
    assert found.target_port == "http"


def test_the_same_path_has_the_same_name_whatever_stands_beside(made: Any) -> None:
    first = made(ingress("i", ("h.t", "/", "Prefix", "web")))[0]
    both = made(ingress("i", ("g.t", "/", "Prefix", "web"), ("h.t", "/", "Prefix", "api")))[0]
    assert both["h.t", "/", False].meta.name == first["h.t", "/", False].meta.name
    assert both["g.t", "/", False].meta.name != first["h.t", "/", False].meta.name


def test_a_wildcard_host_becomes_a_wildcard_route(made: Any) -> None:
    ((_, found),) = made(ingress("i", ("*.w.t", "/", "Prefix", "web")))[0].items()
    assert (found.host, found.wildcard_policy) == ("wildcard.w.t", "Subdomain")


def test_the_default_backend_serves_what_is_left_of_the_hosts(made: Any) -> None:
    rules = (
        ("part.t", "/a", "Prefix", "web"),
        ("whole.t", "/", "Prefix", "web"),
        ("root.t", "/", "Exact", "web"),
    )
    routes, problems = made(ingress("i", *rules, defaultBackend=backend("api")))
    to_api = {host for (host, path, _), one in routes.items() if one.to.name == "api"}
    assert to_api == {"part.t", "root.t"}
    assert len(routes) == 5
    assert problems == []


def test_what_can_be_no_route_is_said(made: Any) -> None:
    rules = (
        ("", "/", "Prefix", "web"),
        ("a.t", "/", "Prefix", "nobody"),
        ("b.t", "/", "Prefix", "web"),
        ("b.t", "/", "Prefix", "api"),
    )
    one = ingress("i", *rules)
    one["spec"]["rules"].append({"host": "c.t"})
    one["spec"]["rules"][2]["http"]["paths"][0]["backend"] = backend("web", "admin")
    routes, problems = made(one)
    without, no_port = "no Route is made of it:", "Service shop/web has no port admin"
    assert [(host, found.to.name) for (host, *_), found in routes.items()] == [("b.t", "api")]
    assert problems == [
        "spec.rules[0].host: is missing: no Route is made of it, a Route has a host",
        f"spec.rules[1].http.paths[0]: {without} there is no Service shop/nobody",
        f"spec.rules[2].http.paths[0]: {without} {no_port}; there are: http",
        "spec.rules[4].http: is missing: no Route is made of the rule",
    ]


def test_host_and_path_once(made: Any) -> None:
    routes, problems = made(
        ingress("i", ("h.t", "/a", "Prefix", "web"), ("h.t", "/a/", "Prefix", "api"))
    )
    assert [one.to.name for one in routes.values()] == ["web"]
    assert "before" in problems[0]


def test_a_default_backend_alone_serves_no_host(made: Any) -> None:
    routes, problems = made(ingress("i", defaultBackend=backend("api")))
    assert routes == {}
    assert problems == ["spec.defaultBackend: serves no host: name some in rules"]


def test_what_a_cluster_made_of_it_is_not_made_twice(made: Any) -> None:
    exported = route("i-x7k2p", "h.t", "web", path="/")
    owner = {"kind": "Ingress", "name": "i", "controller": True, "apiVersion": "v1", "uid": "u"}
    exported["metadata"]["ownerReferences"] = [owner]
    routes, _ = made(
        ingress("i", ("h.t", "/", "Prefix", "web"), ("h.t", "/b", "Prefix", "web")), exported
    )
    assert {key: one.meta.name for key, one in routes.items()}["h.t", "/", False] == "i-x7k2p"
    assert len(routes) == 2
