from __future__ import annotations

from pathlib import Path

from podway.check import problems, summary
from podway.decisions import decide, statuses, with_controller
from podway_cluster import load

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = (ROOT / "manifests" / "apps", ROOT / "manifests" / "lab")
CLASH = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: first, namespace: a}
spec: {host: x.test, to: {kind: Service, name: there}}
---
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: second, namespace: b}
spec: {host: x.test, to: {kind: Service, name: gone}}
---
apiVersion: v1
kind: Service
metadata: {name: there, namespace: a}
spec: {ports: [{port: 80}]}
"""


def test_every_route_of_the_lab_is_admitted_by_one_shard() -> None:
    found = statuses(load(MANIFESTS))
    assert {status.route.meta.name: status.controller for status in found} == {
        "web": "apps",
        "secure": "apps",
        "account": "apps",
        "vault": "apps",
        "doh": "apps",
        "shop": "apps",
        "shop-admin": "apps",
        "report": "apps",
        "catalog-d5f05": "apps",
        "catalog-ce9b2": "apps",
        "tickets": "ext",
        "tickets-own-name": "ext",
    }
    assert all(status.condition.admitted for status in found)


def test_the_lab_itself_has_no_problem() -> None:
    snapshot = load(MANIFESTS)
    assert problems(snapshot) == []
    assert summary(snapshot, 0) == "10 routes, 10 services, 11 pods: nothing wrong\n"


def test_objects_without_a_controller_are_checked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "clash.yaml").write_text(CLASH)
    snapshot = load([tmp_path])
    assert list(decide(snapshot)) == ["default"]
    assert not snapshot.ingress_controllers
    assert len(with_controller(snapshot).ingress_controllers) == 1
    lines = problems(snapshot)
    assert any("route b/second" in line and "HostAlreadyClaimed" in line for line in lines)
    assert all(line.startswith(f"{tmp_path}/clash.yaml:") for line in lines)


def test_a_broken_object_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: Route\napiVersion: route.openshift.io/v1\n")
    lines = problems(load([*MANIFESTS, tmp_path]))
    assert len(lines) == len(set(lines)) >= 1
    assert all("bad.yaml:1" in line for line in lines)


def test_what_balancers_and_dns_would_report_is_reported_too(tmp_path: Path) -> None:
    (tmp_path / "record.yaml").write_text(
        "apiVersion: ingress.operator.openshift.io/v1\nkind: DNSRecord\n"
        "metadata: {name: stray, namespace: a}\n"
        "spec: {dnsName: '*.apps.example.org.', recordType: A, targets: [127.0.0.1]}\n"
    )
    (tmp_path / "service.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: game, namespace: a}\n"
        "spec: {type: LoadBalancer, loadBalancerIP: 127.0.9.9,"
        " ports: [{port: 53, protocol: UDP}]}\n"
    )
    lines = problems(load([*MANIFESTS, tmp_path]))
    assert any("record.yaml:1: dnsrecord a/stray" in line for line in lines)
    assert any("service.yaml:1: service a/game" in line and "UDP" in line for line in lines)
