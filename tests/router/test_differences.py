from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Manifests

from podway_cluster.store import Store
from podway_router.differences import Differences, between, concerned

APPS = controller("apps", 10080, 10443)
TLS = {"termination": "edge", "externalCertificate": {"name": "own"}}


def secret(name: str, data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "shop"},
        "stringData": {"x": data},
    }


def pod(name: str, app: str, ip: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": app}},
        "spec": {"containers": [{"name": "c"}]},
        "status": {"podIP": ip, "phase": "Running"},
    }


class Site:
    def __init__(self, directory: Path) -> None:
        self._manifests = Manifests(directory)
        self._store = Store([directory])
        self.put("controller", APPS)
        self.put("routes", route("w", "w.t", "web"), route("s", "s.t", "other", tls=TLS))
        self.put("web", service("web", selector={"app": "web"}), service("other"))
        self.put("pod", pod("p1", "web", "127.128.1.1"))
        self._store.rescan()

    def put(self, name: str, *objects: Any) -> None:
        self._manifests.put(name, *objects)

    def changed(self, name: str, *objects: Any) -> set[tuple[str, str]] | None:
        """Put a file; give the Routes that are concerned."""
        before = self._store.snapshot
        self.put(name, *objects)
        self._store.rescan()
        return concerned(before.routes, between(before, self._store.snapshot))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


W, S = ("shop", "w"), ("shop", "s")


def test_endpoints_concern_the_routes_of_their_service(site: Site) -> None:
    assert site.changed("slice", endpoints("web", ("127.128.1.7", 80))) == {W}
    assert site.changed("slice", endpoints("other", ("127.128.1.7", 80))) == {W, S}
    assert site.changed("slice") == {S}


def test_pods_concern_the_routes_of_the_services_that_select_them(site: Site) -> None:
    assert site.changed("pod", pod("p1", "web", "127.128.1.2")) == {W}
    assert site.changed("more", pod("p2", "nobody", "127.128.1.3")) == set()
    assert site.changed("pod", pod("p1", "nobody", "127.128.1.2")) == {W}


def test_a_secret_that_a_route_names_concerns_it_and_another_concerns_all(site: Site) -> None:
    assert site.changed("own", secret("own", "1")) == {S}
    assert site.changed("any", secret("any", "1")) is None


def test_a_controller_concerns_all(site: Site) -> None:
    assert site.changed("controller", controller("apps", 10081, 10443)) is None


def test_nothing_is_nothing(site: Site) -> None:
    assert site.changed("empty") == set()
    assert concerned({}, Differences()) == set()
