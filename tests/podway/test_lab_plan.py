from __future__ import annotations

import json
from pathlib import Path

import pytest

from podway.lab.plan import UnfitError, commands, pods_as_json, read_lab
from podway.lab.ports import Ports
from podway.pods.__main__ import read_pods
from podway_cluster import Snapshot, load

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = (ROOT / "manifests" / "apps", ROOT / "manifests" / "lab")
PORTS = Ports(8080, 8443, 5353)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return load(MANIFESTS)


def test_the_lab_is_read_off_the_objects(snapshot: Snapshot) -> None:
    lab = read_lab(snapshot)
    assert lab.dns == "127.0.1.53"
    assert [(b.name, b.addresses, b.source) for b in lab.balancers] == [
        ("lb-a", ("127.0.2.1", "127.0.3.1"), "127.0.4.1"),
        ("lb-b", ("127.0.2.2", "127.0.3.2"), "127.0.4.2"),
    ]
    assert [(r.node, r.address) for r in lab.routers] == [
        ("node-1", "127.1.1.1"),
        ("node-2", "127.1.2.1"),
    ]
    assert dict(lab.controllers) == {
        "apps": (10080, 10443, 11936),
        "ext": (20080, 20443, 21936),
    }
    assert lab.proxy


def test_every_listening_address_is_known_beforehand(snapshot: Snapshot) -> None:
    fixed = read_lab(snapshot).fixed
    assert ("127.1.2.1", 20443) in fixed
    assert ("127.128.1.20", 8443) in fixed
    assert len(fixed) == len(set(fixed)) == 2 * 6 + 4 + 11


def test_the_processes_and_their_options(snapshot: Snapshot, tmp_path: Path) -> None:
    first, others = commands(read_lab(snapshot), PORTS, MANIFESTS, tmp_path, "[]")
    assert [command.name for command in first] == ["router node-1", "lb-a", "dns", "pods"]
    assert [command.name for command in others] == ["router node-2", "lb-b"]
    by_name = {command.name: list(command.arguments) for command in first + others}
    router, balancer, dns = by_name["router node-2"], by_name["lb-b"], by_name["dns"]
    assert _after(router, "--name") == ["apps", "ext"]
    assert _after(router, "--bind") == ["127.1.2.1"]
    assert _after(router, "--proxy-protocol") == ["127.0.4.1,127.0.4.2"]
    assert _after(router, "--external-https-port") == ["8443"]
    assert _after(balancer, "--bind") == ["127.0.2.2", "127.0.3.2"]
    assert _after(balancer, "--port-map") == ["80=8080,443=8443"]
    assert _after(dns, "--listen") == ["127.0.1.53:5353"]
    assert _after(dns, "--http-listen") == ["127.0.1.53:8053"]
    for arguments in (router, balancer, dns):
        assert _after(arguments, "--manifests") == [str(path) for path in MANIFESTS]


def test_the_pods_get_what_they_need(snapshot: Snapshot) -> None:
    pods = {pod.name: pod for pod in read_pods(pods_as_json(read_lab(snapshot).pods, snapshot))}
    assert pods["tickets-0"].ports == ((3000, False),)
    secure = pods["secure-webapp-6c9f7-d2n8w"]
    assert secure.ports == ((8443, True),)
    assert secure.names == ("secure.apps.lab.example.test", "secure-webapp.demo.svc")
    assert secure.node == "node-1"


def test_objects_that_are_no_lab_say_what_is_missing() -> None:
    with pytest.raises(UnfitError) as caught:
        read_lab(Snapshot())
    for kind in ("dns-default", "LoadBalancer", "Node", "IngressController"):
        assert kind in str(caught.value)


def test_pods_are_passed_on_as_json(snapshot: Snapshot) -> None:
    assert len(json.loads(pods_as_json(read_lab(snapshot).pods, snapshot))) == 11


def _after(arguments: list[str], option: str) -> list[str]:
    return [arguments[i + 1] for i, value in enumerate(arguments) if value == option]
