from __future__ import annotations

import pytest
from cluster_reading import fault, faults, good

from podway_cluster.model.service import ServicePort


def service(spec: str) -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {spec}\n"


def test_defaults() -> None:
    found = good(service("{ports: [{port: 80}], selector: {app: web}}"))
    assert found.meta.namespace == "default"
    assert found.ports == (ServicePort(80, "", 80),)
    assert (found.type, found.headless, found.session_affinity) == ("ClusterIP", False, "None")


def test_all_fields() -> None:
    found = good("""
        apiVersion: v1
        kind: Service
        metadata: {name: router, namespace: openshift-ingress}
        spec:
          type: LoadBalancer
          clusterIP: 172.30.0.9
          clusterIPs: [172.30.0.9]
          ports:
          - {name: http, port: 80, targetPort: http, nodePort: 30080, protocol: TCP}
          - {name: https, port: 443, targetPort: 10443, appProtocol: tls}
          sessionAffinity: ClientIP
          sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
          loadBalancerIP: 192.0.2.1
          loadBalancerSourceRanges: [10.0.0.0/8, "192.0.2.0/24 "]
          loadBalancerClass: podway
          externalTrafficPolicy: Local
          healthCheckNodePort: 11936
          publishNotReadyAddresses: true
        status: {loadBalancer: {ingress: [{ip: 192.0.2.1}, {ip: 192.0.2.2}, {hostname: lb.test}]}}
    """)
    assert found.load_balancer_ips == ("192.0.2.1", "192.0.2.2")
    assert found.load_balancer_source_ranges == ("10.0.0.0/8", "192.0.2.0/24")
    assert found.session_affinity_timeout == 60
    assert found.find_port("https") is found.find_port(443) is found.ports[1]
    assert found.find_port("8080") is None
    assert found.publish_not_ready_addresses
    assert found.health_check_node_port == 11936


def test_headless_and_external() -> None:
    assert good(service("{clusterIP: None}")).headless
    found = good(service("{type: ExternalName, externalName: db.example.test}"))
    assert found.external_name == "db.example.test"


@pytest.mark.parametrize(
    ("spec", "field", "says"),
    [
        ("{}", "spec.ports", "at least one port"),
        ("{ports: [{port: 0}]}", "spec.ports[0].port", "1 to 65535"),
        ("{ports: [{port: '80'}]}", "spec.ports[0].port", "whole number"),
        ("{ports: [{}]}", "spec.ports[0].port", "missing"),
        ("{ports: [{port: 80, protocol: HTTP}]}", "spec.ports[0].protocol", "TCP, UDP or SCTP"),
        ("{ports: [{port: 80, targetPort: 70000}]}", "spec.ports[0].targetPort", "65535"),
        ("{ports: [{port: 80, name: A}]}", "spec.ports[0].name", "no port name"),
        ("{ports: [{port: 80, name: a}, {port: 81}]}", "spec.ports[1].name", "each needs a name"),
        (
            "{ports: [{port: 80, name: a}, {port: 81, name: a}]}",
            "spec.ports[1].name",
            "own name",
        ),
        (
            "{ports: [{port: 80, name: a}, {port: 80, name: b}]}",
            "spec.ports[1].port",
            "TCP 80 is there twice",
        ),
        ("{ports: [{port: 80}], type: Loadbalancer}", "spec.type", "LoadBalancer"),
        ("{ports: [{port: 80}], clusterIP: x}", "spec.clusterIP", "no IP address"),
        ("{ports: [{port: 80}], loadBalancerIP: x}", "spec.loadBalancerIP", "no IP address"),
        (
            "{ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.1]}",
            "spec.loadBalancerSourceRanges",
            "192.0.2.0/24",
        ),
        ("{ports: [{port: 80}], selector: {app: true}}", "spec.selector.app", "quotes"),
        ("{type: ExternalName}", "spec.externalName", "missing"),
        ("{type: ExternalName, externalName: 'a b'}", "spec.externalName", "'a b'"),
    ],
)
def test_rules(spec: str, field: str, says: str) -> None:
    found, message = fault(service(spec))
    assert found == field
    assert says in message


def test_a_name_is_a_dns_label() -> None:
    text = service("{ports: [{port: 80}]}").replace("name: web", "name: web.x")
    assert faults(text)[0][0] == "metadata.name"
