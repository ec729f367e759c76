from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ingress_objects import balanced, endpoints
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_lb.compile import PROXY_ANNOTATION, Compilation, compile_snapshot
from podway_lb.entry import ServiceEntry, read
from podway_lb.options import Options

PORTS = {"http": 80, "https": 443}


def routers(name: str, *hosts: str) -> list[Any]:
    return [
        *endpoints(
            name, *((host, 10080) for host in hosts), namespace="openshift-ingress", port="http"
        ),
        *endpoints(
            name, *((host, 10443) for host in hosts), namespace="openshift-ingress", port="https"
        ),
    ]


APPS = routers("apps", "127.1.1.1", "127.1.2.1")


@pytest.fixture
def compiled(tmp_path: Path) -> Any:
    def make(*objects: Any, **options: Any) -> Compilation:
        Manifests(tmp_path).put("all", *objects)
        return compile_snapshot(load([tmp_path]), Options("lb-a", allow_loopback=True, **options))

    return make


def entry(compilation: Compilation, port: str = "http", name: str = "apps") -> ServiceEntry:
    return read(compilation.compiled.entries[f"service/openshift-ingress/{name}/{port}"])


def test_a_service_becomes_listeners_entries_and_probes(compiled: Any) -> None:
    service = balanced("apps", "127.0.2.1", PORTS, healthCheckNodePort=11936)
    found = compiled(service, APPS, source="127.0.4.1")
    assert [(spec.host, spec.port, spec.client_first) for spec in found.compiled.listeners] == [
        ("127.0.2.1", 80, True),
        ("127.0.2.1", 443, True),
    ]
    http = entry(found)
    assert [tuple(one[:2]) for one in http.endpoints] == [
        ("127.1.1.1", 10080),
        ("127.1.2.1", 10080),
    ]
    assert (http.policy, http.proxy, http.ranges) == ("leastconn", True, None)
    assert len(found.compiled.probes) == 4
    assert {
        (one.path, one.check_port, one.interval, one.fall, one.rise, one.source)
        for one in found.compiled.probes
    } == {("/healthz/ready", 11936, 1.0, 2, 3, "127.0.4.1")}


def test_without_a_check_port_a_connect_is_the_check(compiled: Any) -> None:
    found = compiled(balanced("apps", "127.0.2.1", PORTS), APPS)
    assert {(one.path, one.check_port) for one in found.compiled.probes} == {("", 0)}


def test_addresses_of_the_status_and_binds(compiled: Any) -> None:
    service = balanced("apps", "", PORTS)
    service["status"] = {"loadBalancer": {"ingress": [{"ip": "127.0.2.1"}, {"ip": "127.0.2.2"}]}}
    both = compiled(service, APPS).compiled.listeners
    assert {spec.host for spec in both} == {"127.0.2.1", "127.0.2.2"}
    ours = compiled(service, APPS, binds=("127.0.2.2",)).compiled.listeners
    assert {spec.host for spec in ours} == {"127.0.2.2"}
    container = compiled(service, APPS, binds=("0.0.0.0",)).compiled.listeners
    assert {spec.host for spec in container} == {"0.0.0.0"}


def test_port_map(compiled: Any) -> None:
    ports = ((80, 8080), (443, 8443))
    found = compiled(balanced("apps", "127.0.2.1", PORTS), APPS, ports=ports)
    assert [spec.port for spec in found.compiled.listeners] == [8080, 8443]


def test_the_older_service_gets_the_port(compiled: Any) -> None:
    found = compiled(
        balanced("apps", "127.0.2.1", PORTS),
        balanced("late", "127.0.2.1", {"http": 80, "other": 81}),
    )
    assert entry(found, "other", "late").listeners == ["tcp 127.0.2.1:81"]
    assert "service/openshift-ingress/late/http" not in found.compiled.entries
    assert "127.0.2.1:80 is already service openshift-ingress/apps's" in "".join(
        found.compiled.problems
    )


def test_udp_is_a_problem_and_the_rest_is_served(compiled: Any) -> None:
    service = balanced("apps", "127.0.2.1", PORTS)
    service["spec"]["ports"].append({"name": "h3", "port": 443, "protocol": "UDP"})
    found = compiled(service, APPS)
    assert len(found.compiled.listeners) == 2
    assert "spec.ports[2].protocol: UDP is not balanced" in "".join(found.compiled.problems)


def test_source_ranges_affinity_and_proxy(compiled: Any) -> None:
    service = balanced(
        "apps",
        "127.0.2.1",
        PORTS,
        loadBalancerSourceRanges=["10.0.0.0/8"],
        sessionAffinity="ClientIP",
        annotations={PROXY_ANNOTATION: "*"},
    )
    found = entry(compiled(service, APPS, proxy_protocol="none"))
    assert (found.ranges, found.policy, found.proxy) == (["10.0.0.0/8"], "source", True)
    plain = balanced("apps", "127.0.2.1", PORTS)
    assert not entry(compiled(plain, APPS, proxy_protocol="none")).proxy


def test_no_endpoints_says_why_and_listens_all_the_same(compiled: Any) -> None:
    found = compiled(balanced("apps", "127.0.2.1", PORTS))
    assert found.compiled.ready
    assert entry(found).endpoints == []
    assert entry(found).why


def test_nothing_to_listen_on_is_why_it_is_not_ready(compiled: Any) -> None:
    assert "no Service of type LoadBalancer" in compiled().compiled.why
    without = compiled(balanced("apps", "", PORTS)).compiled
    assert not without.ready
    assert "set spec.loadBalancerIP or --bind" in without.why
    assert "no address to listen on" in "".join(without.problems)
    elsewhere = compiled(
        balanced("apps", "127.0.2.1", PORTS),
        balanced("ext", "127.0.3.1", {"x": 1}),
        binds=("127.0.3.1",),
    )
    assert elsewhere.compiled.ready
    assert len(elsewhere.compiled.listeners) == 1


def test_only_load_balancers_are_served_whatever_their_class(compiled: Any) -> None:
    cluster_ip = balanced("inner", "127.0.2.9", PORTS)
    cluster_ip["spec"]["type"] = "ClusterIP"
    classed = balanced("apps", "127.0.2.1", PORTS, loadBalancerClass="example.test/other")
    assert {spec.host for spec in compiled(cluster_ip, classed).compiled.listeners} == {"127.0.2.1"}
