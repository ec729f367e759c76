from __future__ import annotations

from pathlib import Path

import pytest
from ingress_objects import balanced, endpoints
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_lb.loader import Loader, build
from podway_lb.options import Options
from podway_proxy.process.daemon import CannotStart


def test_debug_and_check(tmp_path: Path) -> None:
    loader = Loader(Options("lb-a", allow_loopback=True), [tmp_path], None)
    assert "no Service of type LoadBalancer" in loader.check()[0]
    Manifests(tmp_path).put(
        "all",
        balanced("apps", "127.0.2.1", {"http": 80}),
        endpoints("apps", ("127.1.1.1", 10080), namespace="openshift-ingress"),
    )
    assert loader.check() == []
    assert loader.compile(load([tmp_path])).ready
    assert loader.debug()["services"]() == [
        {
            "service": "openshift-ingress/apps",
            "port": "http",
            "listeners": ["127.0.2.1:80"],
            "endpoints": ["127.1.1.1:10080"],
            "why": "",
        }
    ]


def test_a_source_that_is_not_ours_is_said_at_the_start() -> None:
    with pytest.raises(CannotStart, match=r"--source 192\.0\.2\.9: can't connect from there"):
        build(
            {
                "manifests": [],
                "name": "lb-a",
                "bind": [],
                "source": "192.0.2.9",
                "port_map": None,
                "proxy_protocol": "v2",
                "unique_id": False,
                "allow_loopback_endpoints": False,
            },
            None,
        )
