from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from podway.get import Options, get
from podway.tables import KINDS, controllers, pods, routes, served, services
from podway_cluster import Snapshot, load

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = (ROOT / "manifests" / "apps", ROOT / "manifests" / "lab")
STRAY = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: stray, namespace: a, labels: {exposure: nobody}}
spec: {host: stray.test, to: {kind: Service, name: gone}}
---
apiVersion: operator.openshift.io/v1
kind: IngressController
metadata: {name: only, namespace: openshift-ingress-operator}
spec: {domain: test, routeSelector: {matchLabels: {exposure: some}}}
"""


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return load(MANIFESTS)


def test_routes(snapshot: Snapshot) -> None:
    rows = {row["name"]: row for row in routes(snapshot)}
    assert rows["shop"]["services"] == ["shop-v1 80", "shop-v2 20"]
    assert rows["secure"]["termination"] == "passthrough"
    assert rows["tickets"]["admitted"] == "ext"
    assert rows["web"]["endpoints"] == [
        "127.128.1.10:8080",
        "127.128.1.11:8080",
        "127.128.2.10:8080",
    ]
    assert rows["report"]["endpoints"] == []
    assert "report-0" in rows["report"]["why"]


def test_a_route_that_no_shard_selects_is_shown(tmp_path: Path) -> None:
    (tmp_path / "stray.yaml").write_text(STRAY)
    (row,) = routes(load([tmp_path]))
    assert row["admitted"] == "no"
    assert row["why"].startswith("no IngressController selects it")


def test_services(snapshot: Snapshot) -> None:
    rows = {row["name"]: row for row in services(snapshot)}
    assert rows["simple-webapp-docker"]["ports"] == ["8080-tcp:8080/TCP"]
    assert rows["simple-webapp-docker"]["endpoints"] == 3
    assert rows["router-ext"]["addresses"] == ["127.0.3.1", "127.0.3.2"]


def test_endpoints_or_why_there_are_none(snapshot: Snapshot) -> None:
    rows = list(served(snapshot))
    assert [r["pod"] for r in rows if r["service"] == "tickets"] == ["tickets-0", "tickets-1"]
    (none,) = (row for row in rows if row["service"] == "report")
    assert none["address"] == ""
    assert "report-0" in none["why"]


def test_controllers(snapshot: Snapshot) -> None:
    rows = {row["name"]: row for row in controllers(snapshot)}
    apps = rows["apps"]
    assert (apps["domain"], apps["http"], apps["protocol"]) == (
        "apps.lab.example.test",
        10080,
        "PROXY",
    )
    assert apps["routes"] == apps["admitted"] > 0
    assert apps["why"] == ""


def test_a_controller_that_cannot_serve_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(STRAY)
    (row,) = controllers(load([tmp_path]))
    assert (row["name"], row["routes"]) == ("only", 0)


def test_pods(snapshot: Snapshot) -> None:
    rows = {row["name"]: row for row in pods(snapshot)}
    assert rows["report-0"]["ready"] == "no"
    assert rows["tickets-1"]["services"] == ["tickets"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_of_a_kind_have_the_same_columns(kind: str, snapshot: Snapshot) -> None:
    assert len({tuple(row) for row in KINDS[kind](snapshot)}) == 1


def test_json_and_yaml_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    get(Options("routes", MANIFESTS, output="json"))
    as_json = json.loads(capsys.readouterr().out)
    get(Options("routes", MANIFESTS, output="yaml"))
    assert yaml.safe_load(capsys.readouterr().out) == as_json
    assert len(as_json) == 12


def test_a_table_has_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    get(Options("pods", MANIFESTS, namespace="tickets"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["NAME", "tickets-0", "tickets-1"]


def test_why_something_is_missing_stands_below_the_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    get(Options("routes", MANIFESTS, namespace="reports"))
    header, row, why = capsys.readouterr().out.splitlines()
    assert header.split()[-2:] == ["ADMITTED", "ENDPOINTS"]
    assert row.split()[-2:] == ["apps", "0"]
    assert why.startswith("reports/report: ")


def test_what_the_routers_say_about_a_route_stands_below_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    annotation = '"haproxy.router.openshift.io/timeout": soon'
    text = STRAY.partition("---")[0].replace(
        "labels: {", f"annotations: {{{annotation}}}, labels: {{"
    )
    (tmp_path / "stray.yaml").write_text(text)
    assert get(Options("routes", [tmp_path])) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "a/stray: metadata.annotations[haproxy.router.openshift.io/timeout]: 'soon'"
    )
    (row,) = routes(load([tmp_path]))
    assert len(row["warnings"]) == 1


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    get(Options("pods", MANIFESTS, namespace="nowhere"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "no pods in namespace nowhere\n"
