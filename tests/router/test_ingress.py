from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ingress_objects import controller, endpoints, ingress, secret, service
from ingress_rig import Manifests

from podway_cluster.store import Store
from podway_router.compile import compile_snapshot
from podway_router.ingress import CONTROLLER, expanded
from podway_router.options import Options

RULE = ("h.t", "/", "Prefix", "web")
CLASS = "kubernetes.io/ingress.class"


def ingress_class(name: str, of: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name},
        "spec": {"controller": of},
    }


class Site:
    def __init__(self, directory: Path) -> None:
        self.manifests = Manifests(directory)
        self.store = Store([directory])
        self.manifests.put("services", service("web"), service("other"))
        classes = (ingress_class("ours", CONTROLLER), ingress_class("nginx", "k8s.io/nginx"))
        self.manifests.put("classes", *classes)

    def put(self, *objects: Any) -> None:
        self.manifests.put("ingress", *objects)
        self.store.rescan()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize(
    ("name", "annotation", "routes", "problems"),
    [
        ("", "", 1, 0),
        ("ours", "", 1, 0),
        ("nginx", "", 0, 0),
        ("gone", "", 0, 1),
        ("nginx", "ours", 1, 0),
        ("ours", "nginx", 0, 0),
    ],
)
def test_classes(site: Site, name: str, annotation: str, routes: int, problems: int) -> None:
    annotations = {CLASS: annotation} if annotation else {}
    spec = {"ingressClassName": name} if name else {}
    site.put(ingress("i", RULE, annotations=annotations, **spec))
    found, _ = expanded(site.store.snapshot, {})
    assert (len(found.routes), len(found.problems)) == (routes, problems)


def test_what_did_not_change_is_the_very_same(site: Site) -> None:
    site.put(ingress("i", RULE), ingress("j", ("g.t", "/", "Prefix", "other")))
    first, known = expanded(site.store.snapshot, {})
    site.put(ingress("i", RULE), ingress("j", ("g.t", "/x", "Prefix", "other")))
    second, _ = expanded(site.store.snapshot, known)
    same = {key for key, one in second.routes.items() if one is first.routes.get(key)}
    assert [first.routes[key].host for key in same] == ["h.t"]
    assert len(second.routes) == 2


def test_what_it_was_made_with_makes_it_anew(site: Site) -> None:
    site.put(ingress("i", RULE, tls=[{"hosts": ["h.t"], "secretName": "own"}]))
    first, known = expanded(site.store.snapshot, {})
    assert first.routes == {}
    site.manifests.put("secret", secret("own", **{"tls.crt": "x", "tls.key": "y"}))
    site.store.rescan()
    second, _ = expanded(site.store.snapshot, known)
    assert [one.host for one in second.routes.values()] == ["h.t"]
    assert second.problems == ()


def test_it_is_served_step_by_step_as_all_at_once(site: Site) -> None:
    options = Options(("apps",), allow_loopback=True)
    site.manifests.put("apps", controller("apps", 10080, 10443))
    site.put(ingress("i", RULE, ("h.t", "/exact", "Exact", "other")))
    first = compile_snapshot(site.store.snapshot, options)
    site.manifests.put("slice", endpoints("web", ("127.128.1.1", 80)))
    site.store.rescan()
    second = compile_snapshot(site.store.snapshot, options, first)
    assert second.compiled == compile_snapshot(site.store.snapshot, options).compiled
    entries = {
        entry["path"]: entry
        for key, entry in second.compiled.entries.items()
        if key.startswith("route/")
    }
    assert sorted(entries) == ["/", "=/exact"]
    assert [host for host, *_ in entries["/"]["endpoints"]] == ["127.128.1.1"]
