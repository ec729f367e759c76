"""`httpErrorCodePages`: which pages are taken, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

from ingress_objects import Object, controller
from ingress_rig import Manifests

from podway_cluster import load
from podway_router.error_pages import problems, wanted

GOOD = "HTTP/1.0 {} Sorry\n\nsorry"


def asked(tmp_path: Path, *objects: Object) -> tuple[dict[str, str] | None, list[str]]:
    apps = controller("apps", 8080, 8443, httpErrorCodePages={"name": "pages"})
    Manifests(tmp_path).put("site", apps, *objects)
    snapshot = load([tmp_path])
    (one,) = snapshot.ingress_controllers.values()
    found = [f"{problem.field}: {problem.message}" for problem in problems(snapshot, one)]
    return wanted(snapshot, one), found


def pages(namespace: str = "openshift-config", **data: str) -> Object:
    meta = {"name": "pages", "namespace": namespace}
    keys = {f"error-page-{key[1:]}.http": text for key, text in data.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": keys}


def test_good_pages(tmp_path: Path) -> None:
    found, said = asked(tmp_path, pages(p503=GOOD.format(503), p404=GOOD.format(404)))
    assert found == {"503": GOOD.format(503), "404": GOOD.format(404)}
    assert said == []


def test_one_of_two(tmp_path: Path) -> None:
    found, said = asked(tmp_path, pages(p503=GOOD.format(503), p404=GOOD.format(200)))
    assert found == {"503": GOOD.format(503)}
    (only,) = said
    assert only.startswith("data[error-page-404.http]: has the status 200: make it 404")


def test_none(tmp_path: Path) -> None:
    found, said = asked(tmp_path, pages(p500=GOOD.format(500)))
    assert found is None
    assert said == ["data: has neither error-page-503.http nor error-page-404.http"]


def test_another_namespace(tmp_path: Path) -> None:
    found, said = asked(tmp_path, pages("shop", p503=GOOD.format(503)))
    assert found is None
    assert "there is no ConfigMap openshift-config/pages" in said[0]
