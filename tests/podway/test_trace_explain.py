from __future__ import annotations

from pathlib import Path

import pytest

from podway.ask import HttpAnswer
from podway.trace.command import ending
from podway.trace.explain import cutting, find_route, service_step
from podway.trace.page import ERROR_PAGE, operators_page, router_page
from podway.trace.step import Step, read_target
from podway_cluster import Snapshot, load

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = (ROOT / "manifests" / "apps", ROOT / "manifests" / "lab")
ROUTE = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: %s, namespace: %s}
spec: {host: x.test, to: {kind: Service, name: %s}}
---
"""
PAGES = """
apiVersion: operator.openshift.io/v1
kind: IngressController
metadata: {name: apps, namespace: openshift-ingress-operator}
spec: {domain: test, httpErrorCodePages: {name: pages}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: pages, namespace: openshift-config}
data: {error-page-503.http: "HTTP/1.0 503 Sorry\\n\\nsorry"}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: svc, namespace: a}
spec: {selector: {app: x}, ports: [{port: 80, name: http}]}
---
"""


@pytest.fixture(scope="module")
def lab() -> Snapshot:
    return load(MANIFESTS)


def of(tmp_path: Path, text: str) -> Snapshot:
    (tmp_path / "objects.yaml").write_text(text)
    return load([tmp_path])


def test_the_route_is_named_with_its_file(lab: Snapshot) -> None:
    found = find_route(lab, read_target("http://web.apps.lab.example.test/x?y"))
    assert found.step.ok
    assert "demo/web has host web.apps.lab.example.test" in found.step.text
    assert "/manifests/apps/1-webapp.yaml:" in found.step.details[0]


def test_the_longest_path_counts(lab: Snapshot) -> None:
    found = find_route(lab, read_target("http://shop.apps.lab.example.test/admin/x"))
    assert "shop/shop-admin" in found.step.text


def test_tls_goes_by_the_server_name(lab: Snapshot) -> None:
    found = find_route(lab, read_target("https://secure.apps.lab.example.test/"))
    assert found.step.ok
    assert "passthrough" in found.step.text
    assert not found.redirect


def test_plain_http_to_a_passthrough_route_is_redirected(lab: Snapshot) -> None:
    assert find_route(lab, read_target("http://secure.apps.lab.example.test/")).redirect


def test_a_misspelt_host_gets_the_nearest(lab: Snapshot) -> None:
    step = find_route(lab, read_target("http://wbe.apps.lab.example.test/")).step
    assert not step.ok
    assert "web.apps.lab.example.test" in " ".join(step.details)
    assert "spec.host: wbe.apps.lab.example.test" in step.advice


def test_https_to_a_plain_route_says_to_use_http(lab: Snapshot) -> None:
    step = find_route(lab, read_target("https://web.apps.lab.example.test/")).step
    assert not step.ok
    assert "plain HTTP only" in step.text
    assert step.advice.startswith("Ask http://web.apps.lab.example.test/ instead")


def test_a_host_that_is_anothers_says_whose(tmp_path: Path) -> None:
    younger = of(tmp_path, ROUTE % ("one", "a", "svc") + ROUTE % ("two", "b", "svc"))
    # The host leads to the older Route; without it the refused one would be alone.
    assert "a/one" in find_route(younger, read_target("http://x.test/")).step.text


def test_the_services_endpoints_are_listed(lab: Snapshot) -> None:
    found = find_route(lab, read_target("http://shop.apps.lab.example.test/"))
    assert found.status is not None
    step = service_step(lab, found.status)
    assert step.ok
    assert step.text == "shop-v1, shop-v2: 3 endpoints to choose from"
    assert "shop-v1 (weight 80): 127.128.1.30:8080 shop-v1-7d5b8-m6wqs" in step.details
    assert step.details[-1] == "chosen by roundrobin"


def test_a_pod_that_is_not_ready_is_named(lab: Snapshot) -> None:
    found = find_route(lab, read_target("http://report.apps.lab.example.test/"))
    assert found.status is not None
    step = service_step(lab, found.status)
    assert not step.ok
    assert step.details == ("pod report-0: not ready (its condition Ready is not True)",)
    assert step.advice.startswith("Find out why the pod is not ready")


@pytest.mark.parametrize(
    ("objects", "advice"),
    [
        (ROUTE % ("r", "a", "gone"), "Make Service gone in a"),
        (ROUTE % ("r", "a", "svc") + SERVICE, "No Pod in a has the labels app=x"),
        (
            ROUTE % ("r", "a", "svc") + SERVICE.replace("selector: {app: x}, ", ""),
            "The Service has no selector",
        ),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, objects: str, advice: str) -> None:
    snapshot = of(tmp_path, objects)
    found = find_route(snapshot, read_target("http://x.test/"))
    assert found.status is not None
    assert service_step(snapshot, found.status).advice.startswith(advice)


def test_the_routers_own_page_is_told_from_a_pods() -> None:
    page = '{"status": 503, "step": "no-route", "reason": "x", "server": "podway"}'
    assert router_page(HttpAnswer(503, {}, page)) is not None
    assert router_page(HttpAnswer(503, {"x-pod": "a/b"}, page)) is None
    assert router_page(HttpAnswer(200, {}, page)) is None
    assert router_page(HttpAnswer(404, {}, "<h1>not here</h1>")) is None
    assert router_page(HttpAnswer(404, {}, '["json"]')) is None


def test_the_operators_page_is_told_from_a_pods(tmp_path: Path) -> None:
    snapshot = of(tmp_path, PAGES)
    page = operators_page(snapshot, HttpAnswer(503, {}, "sorry"))
    assert page is not None
    assert page["step"] == ERROR_PAGE
    assert "openshift-config/pages" in page["reason"]
    assert operators_page(snapshot, HttpAnswer(503, {}, "of a pod")) is None
    assert operators_page(snapshot, HttpAnswer(404, {}, "sorry")) is None


def test_what_a_route_asks_for_is_shown_and_what_may_cut_a_client_off_is_named(
    tmp_path: Path,
) -> None:
    prefix = "haproxy.router.openshift.io/"
    asked = f'{prefix}ip_allowlist: 10.9.9.9, {prefix}timeout: 5s, other: "1"'
    text = ROUTE.replace("namespace: %s", "namespace: %s, annotations: {" + asked + "}")
    found = find_route(of(tmp_path, text % ("one", "a", "svc")), read_target("http://x.test/"))
    assert "asks for ip_allowlist 10.9.9.9, timeout 5s" in found.step.details
    assert found.status is not None
    assert cutting(found.status.route) == "ip_allowlist (10.9.9.9)"


def test_the_way_ends_at_the_last_step_that_failed() -> None:
    cut, good = Step("router", False, "reset"), Step("Service", True, "3 endpoints")
    assert ending([Step("DNS", True, "here"), cut, good]) is cut
    assert ending([good]) is good
    assert ending([]) is None
