"""Ingresses through a real router to real pods."""

from __future__ import annotations

from pathlib import Path

import pytest
from ingress_objects import backend, controller, endpoints, ingress, service
from ingress_rig import Daemon, Manifests, Pod, address, free_port, get, until

pytestmark = pytest.mark.live


def test_paths_default_backend_and_a_change(tmp_path: Path) -> None:
    manifests = Manifests(tmp_path / "manifests")
    manifests.directory.mkdir()
    host = address()
    where = (host, free_port(host))
    with Pod("blue") as blue, Pod("green") as green:
        for pod in (blue, green):
            manifests.put(pod.name, service(pod.name), endpoints(pod.name, pod.where))
        manifests.put("apps", controller("apps", where[1], free_port(host)))
        rules = (("h.t", "/a", "Prefix", "blue"), ("h.t", "/a/b", "Exact", "green"))
        manifests.put("ingress", ingress("i", *rules))
        usual = ("--name", "apps", "--bind", host, "--allow-loopback-endpoints")
        with Daemon("podway-router", manifests, *usual) as router:
            asked = {path: get(where, "h.t", path) for path in ("/a", "/a/b", "/a/b/c", "/ab", "/")}
            served = [(status, body.get("pod")) for status, body, _ in asked.values()]
            assert served[:3] == [(200, "blue"), (200, "green"), (200, "blue")]
            assert served[3:] == [(503, None), (503, None)]
            shown = {(one["path"], one["exact"], one["owner"]) for one in router.debug("routes")}
            assert shown == {("/a", False, "Ingress/i"), ("/a/b", True, "Ingress/i")}
            manifests.put("ingress", ingress("i", *rules, defaultBackend=backend("green")))
            until("the default backend serves", lambda: get(where, "h.t", "/")[0] == 200)
            assert get(where, "h.t", "/ab")[1]["pod"] == "green"
