from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from podway_cluster import Problem, load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("more", ["lab", "compose"])
def test_our_own_manifests_are_good(more: str) -> None:
    snapshot = load([ROOT / "manifests" / "apps", ROOT / "manifests" / more])
    assert [str(problem) for problem in snapshot.problems] == []
    assert snapshot.routes
    assert snapshot.ingress_controllers
    assert snapshot.version == 1


def test_a_snapshot_knows_its_kinds() -> None:
    snapshot = load([ROOT / "manifests" / "apps"])
    assert snapshot.of_kind("Route") is snapshot.routes
    assert snapshot.of_kind("Deployment") == {}
    with pytest.raises(TypeError):
        snapshot.routes["a", "b"] = None  # type: ignore[index]


def test_how_problems_read() -> None:
    problem = Problem("d/a.yaml", 3, "Route", "shop", "web", "spec.host", "is wrong")
    assert str(problem) == "d/a.yaml:3: route shop/web: spec.host: is wrong"
    assert str(problem._replace(namespace="", kind="Node", field="")) == (
        "d/a.yaml:3: node web: is wrong"
    )
    assert str(Problem("d/a.yaml", 3, "", "", "", "", "is wrong")) == "d/a.yaml:3: is wrong"


def test_memory_per_route(tmp_path: Path) -> None:
    """10,000 Routes may take 100 MB; with a third of them the share is easier to tell."""
    route = (
        "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata:\n  name: web-{0}\n"
        "  namespace: shop\n  labels:\n    app: web\n  annotations:\n"
        "    haproxy.router.openshift.io/balance: roundrobin\nspec:\n"
        "  host: web-{0}.apps.lab.example.test\n  to:\n    kind: Service\n    name: web-{0}\n"
        "  port:\n    targetPort: 8080-tcp\n  tls:\n    termination: edge\n"
    )
    text = "---\n".join(route.format(number) for number in range(3_000))
    (tmp_path / "all.yaml").write_text(text)
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from podway_cluster import load\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "routes = len(load([Path(sys.argv[1])]).routes)\n"
        "print(routes, peak() - before)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    routes, megabytes = map(int, result.stdout.split())
    assert routes == 3_000
    assert megabytes < 30
