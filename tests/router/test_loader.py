from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_proxy.process.daemon import CannotStart
from podway_router.loader import Loader
from podway_router.options import Options

APPS = controller("apps", 1, 2, 3)
WEB = [service("web"), endpoints("web", ("127.128.1.1", 80)), route("web", "w.t", "web")]


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return Loader(Options(("apps",), allow_loopback=True), [tmp_path], None)


def test_the_first_snapshot_must_have_the_controller(loader: Loader, tmp_path: Path) -> None:
    (tmp_path / "controllers.yaml").write_text("kind: IngressController\n\tmetadata: {}\n")
    with pytest.raises(CannotStart, match="no IngressController is named apps") as caught:
        loader.compile(load([tmp_path]))
    (problem,) = caught.value.problems
    assert "controllers.yaml:2: " in problem, "it is often why the controller is not there"


def test_a_controller_that_is_taken_away_later_is_why_it_is_not_ready(
    loader: Loader, tmp_path: Path
) -> None:
    manifests = Manifests(tmp_path)
    manifests.put("all", APPS, WEB)
    assert loader.compile(load([tmp_path])).ready
    manifests.put("all", WEB)
    later = loader.compile(load([tmp_path]))
    assert not later.ready
    assert later.listeners == ()


def test_debug_routes_tell_what_became_of_each(loader: Loader, tmp_path: Path) -> None:
    assert loader.debug()["routes"]() == []
    Manifests(tmp_path).put("all", APPS, WEB, route("twin", "w.t", "web", namespace="b"))
    loader.compile(load([tmp_path]))
    shown: dict[str, Any] = {one["name"]: one for one in loader.debug()["routes"]()}
    json.dumps(shown)
    assert shown["web"]["endpoints"] == [{"address": "127.128.1.1:80", "name": "", "weight": 1}]
    assert shown["web"]["origin"].startswith(str(tmp_path / "all.json"))
    assert (shown["twin"]["admitted"], shown["twin"]["reason"]) == (False, "HostAlreadyClaimed")


def test_debug_controllers_tell_how_each_is_doing(loader: Loader, tmp_path: Path) -> None:
    assert loader.debug()["controllers"]() == []
    Manifests(tmp_path).put("all", APPS, WEB, route("twin", "w.t", "web", namespace="b"))
    loader.compile(load([tmp_path]))
    (shown,) = loader.debug()["controllers"]()
    assert shown["name"] == "apps"
    assert (shown["routes"], shown["admitted"]) == (2, 1)


def test_check_gives_problems_and_why_nothing_is_served(loader: Loader, tmp_path: Path) -> None:
    Manifests(tmp_path).put("all", APPS, route("lost", "l.t", "nobody"))
    (line,) = loader.check()
    assert "there is no Service shop/nobody" in line
    Manifests(tmp_path).put("all", WEB)
    (line,) = loader.check()
    assert line.startswith("no IngressController is named apps")
