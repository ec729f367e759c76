from __future__ import annotations

from pathlib import Path

from ingress_objects import balanced, endpoints
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_lb.loader import Loader
from podway_lb.options import Options


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
