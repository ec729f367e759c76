from __future__ import annotations

import pytest
from cluster_reading import snapshot_of

from podway_cluster.addresses import address_fault
from podway_cluster.endpoints import ServingEndpoint, behind, endpoints
from podway_cluster.snapshot import Snapshot

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: admin, port: 81, targetPort: 9000}
"""


def slice_of(endpoints_: str, ports: str = "[{name: http, port: 8080}]", kind: str = "IPv4") -> str:
    return f"""
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: web-{abs(hash((endpoints_, ports)))}, namespace: shop,
  labels: {{kubernetes.io/service-name: web}}}}
addressType: {kind}
endpoints: {endpoints_}
ports: {ports}
"""


def pod(name: str, ip: str, more: str = "", status: str = "") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: web}}{more}}}
spec: {{nodeName: node-1, containers: [{{name: c, ports: [{{name: web, containerPort: 8080}}]}}]}}
status: {{podIP: {ip or "''"}{status}}}
"""


def serving(
    snapshot: Snapshot, port: int | str | None = None, *, allow_loopback: bool = False
) -> list[tuple[str, int]]:
    found, why = endpoints(snapshot, "shop", "web", port, allow_loopback=allow_loopback)
    assert bool(found) != bool(why)
    return [(each.host, each.port) for each in found]


def why(snapshot: Snapshot, port: int | str | None = None) -> str:
    found, sentence = endpoints(snapshot, "shop", "web", port, allow_loopback=False)
    assert found == ()
    return sentence


def test_from_slices() -> None:
    snapshot = snapshot_of(
        SERVICE,
        slice_of("[{addresses: [10.0.0.1]}, {addresses: [10.0.0.2], conditions: {ready: false}}]"),
        slice_of("[{addresses: [10.0.0.3]}]"),
        slice_of("[{addresses: [10.0.0.1]}]", "[{name: http, port: 8080}]"),
        pod("other", "10.0.0.9"),
    )
    assert serving(snapshot) == [("10.0.0.1", 8080), ("10.0.0.3", 8080)]
    assert serving(snapshot, "http") == serving(snapshot, 8080) == serving(snapshot, "8080")
    assert why(snapshot, "https") == (
        "the endpoints of Service shop/web have no port https; there are: http (8080)"
    )


def test_what_an_endpoint_knows() -> None:
    text = slice_of(
        "[{addresses: [10.0.0.1], nodeName: n1, hostname: h, targetRef: {name: web-1}}]",
        "[{name: http, port: 8080, appProtocol: h2c}]",
    )
    (found,), _ = endpoints(snapshot_of(SERVICE, text), "shop", "web", None, allow_loopback=False)
    assert found == ServingEndpoint(
        "10.0.0.1", 8080, "web-1", node="n1", hostname="h", port_name="http", app_protocol="h2c"
    )


def test_terminating_endpoints_are_the_last_resort() -> None:
    leaving = (
        "{addresses: [10.0.0.1], conditions: {ready: false, serving: true, terminating: true}}"
    )
    gone = "{addresses: [10.0.0.2], conditions: {ready: false, serving: false, terminating: true}}"
    snapshot = snapshot_of(SERVICE, slice_of(f"[{leaving}, {gone}]"))
    (found,), _ = endpoints(snapshot, "shop", "web", None, allow_loopback=False)
    assert (found.host, found.terminating, found.ready) == ("10.0.0.1", True, False)
    snapshot = snapshot_of(SERVICE, slice_of(f"[{leaving}, {{addresses: [10.0.0.3]}}]"))
    assert serving(snapshot) == [("10.0.0.3", 8080)]
    snapshot = snapshot_of(SERVICE, slice_of(f"[{gone}]"))
    assert why(snapshot) == "the only endpoint of Service shop/web is not ready: 10.0.0.2"


def test_udp_ports_are_for_those_who_ask() -> None:
    service = SERVICE.replace("{name: admin, port: 81, targetPort: 9000}",
                              "{name: dns, port: 53, protocol: UDP}")  # fmt: skip
    ports = "[{name: http, port: 8080}, {name: dns, port: 5353, protocol: UDP}]"
    snapshot = snapshot_of(service, slice_of("[{addresses: [10.0.0.1]}]", ports))
    assert serving(snapshot) == [("10.0.0.1", 8080)]
    port = snapshot.services["shop", "web"].ports[1]
    found, _ = endpoints(snapshot, "shop", "web", port, allow_loopback=False)
    assert [(each.host, each.port) for each in found] == [("10.0.0.1", 5353)]


def test_a_service_port_joins_by_name() -> None:
    ports = "[{name: http, port: 10080}, {name: admin, port: 80}]"
    snapshot = snapshot_of(SERVICE, slice_of("[{addresses: [10.0.0.1]}]", ports))
    port = snapshot.services["shop", "web"].find_port(80)
    found, _ = endpoints(snapshot, "shop", "web", port, allow_loopback=False)
    assert [each.port for each in found] == [10080]


def test_from_an_endpoints_object() -> None:
    text = """
apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: shop}
subsets:
- {addresses: [{ip: 10.0.0.1}], notReadyAddresses: [{ip: 10.0.0.2}], ports: [{port: 80}]}
"""
    assert serving(snapshot_of(SERVICE, text)) == [("10.0.0.1", 80)]
    empty = text.split("subsets")[0]
    assert "lists no address" in why(snapshot_of(SERVICE, empty))


def test_from_pods() -> None:
    snapshot = snapshot_of(
        SERVICE,
        pod("web-1", "10.0.0.1"),
        pod("web-2", "10.0.0.2", status=", phase: Pending"),
        pod("web-3", "10.0.0.3", more=", deletionTimestamp: 2024-01-01T00:00:00Z"),
        pod("web-4", "10.0.0.4", status=", phase: Succeeded"),
        pod("web-5", ""),
        pod("other", "10.0.0.5").replace("app: web", "app: other"),
        pod("far", "10.0.0.6").replace("namespace: shop", "namespace: far"),
    )
    assert serving(snapshot, "http") == [("10.0.0.1", 8080)]
    assert serving(snapshot, 9000) == [("10.0.0.1", 9000)]
    assert serving(snapshot) == [("10.0.0.1", 8080), ("10.0.0.1", 9000)]


def test_publish_not_ready_addresses() -> None:
    service = SERVICE + "  publishNotReadyAddresses: true\n"
    snapshot = snapshot_of(service, pod("web-1", "10.0.0.1", status=", phase: Pending"))
    assert serving(snapshot, 9000) == [("10.0.0.1", 9000)]


def test_why_there_is_none() -> None:
    bare = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
    plain = bare + "spec: {ports: [{port: 80}]}\n"
    assert why(snapshot_of()) == "there is no Service shop/web"
    assert "is of type ExternalName" in why(
        snapshot_of(bare + "spec: {type: ExternalName, externalName: x.test}\n")
    )
    assert "has no selector, and no EndpointSlice" in why(snapshot_of(plain))
    assert why(snapshot_of(SERVICE)) == (
        "the selector of Service shop/web (app=web) matches no Pod in namespace shop"
    )
    assert "list no endpoint" in why(snapshot_of(SERVICE, slice_of("[]")))
    fqdn = slice_of("[{addresses: [evil.test]}]", kind="FQDN")
    assert "FQDN only" in why(snapshot_of(SERVICE, fqdn))
    waiting = pod("web-1", "10.0.0.1", status=", phase: Pending")
    assert "is not ready: web-1" in why(snapshot_of(SERVICE, waiting))
    two = pod("web-2", "10.0.0.2", status=", phase: Pending")
    assert "none of the 2 endpoints" in why(snapshot_of(SERVICE, waiting, two))
    assert "web-1 (no address yet)" in why(snapshot_of(SERVICE, pod("web-1", "")))
    done = pod("web-1", "10.0.0.1", status=", phase: Failed")
    assert "web-1 (Failed)" in why(snapshot_of(SERVICE, done))
    unnamed = pod("web-1", "10.0.0.1").replace("name: web, containerPort", "name: x, containerPort")
    service = SERVICE.replace("  - {name: admin, port: 81, targetPort: 9000}\n", "")
    assert "no container port is named web" in why(snapshot_of(service, unnamed), "http")
    portless = slice_of("[{addresses: [10.0.0.1]}]", "[]")
    assert "no TCP port; they have none at all" in why(snapshot_of(SERVICE, portless))


def test_loopback_is_an_opt_in() -> None:
    snapshot = snapshot_of(SERVICE, slice_of("[{addresses: [127.128.1.1]}]"))
    assert "--allow-loopback-endpoints" in why(snapshot)
    assert serving(snapshot, allow_loopback=True) == [("127.128.1.1", 8080)]


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.0.1", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::",
     "255.255.255.255", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254", "x"],
)  # fmt: skip
def test_addresses_that_never_serve(address: str) -> None:
    assert address_fault(address, allow_loopback=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "192.0.2.1", "2001:db8::1", "fd00::1"])
def test_addresses_that_serve(address: str) -> None:
    assert address_fault(address, allow_loopback=False) == ""


def test_mapped_loopback_is_loopback() -> None:
    assert "loopback" in address_fault("::ffff:127.0.0.1", allow_loopback=False)


def test_one_bad_address_does_not_take_the_others() -> None:
    text = slice_of("[{addresses: [169.254.169.254]}, {addresses: [10.0.0.1]}]")
    assert serving(snapshot_of(SERVICE, text)) == [("10.0.0.1", 8080)]


def test_who_leaves_beside_ready_ones_may_keep_its_sessions() -> None:
    going = "conditions: {ready: false, serving: true, terminating: true}"
    gone = "conditions: {ready: false, serving: false, terminating: true}"
    leaving = f"{{addresses: [10.0.0.2], {going}}}, {{addresses: [10.0.0.3], {gone}}}"
    both = snapshot_of(SERVICE, slice_of(f"[{{addresses: [10.0.0.1]}}, {leaving}]"))
    found = behind(both, "shop", "web", None, allow_loopback=False)
    assert [each.host for each in found.chosen] == ["10.0.0.1"]
    assert [each.host for each in found.leaving] == ["10.0.0.2"]
    alone = snapshot_of(SERVICE, slice_of(f"[{leaving}]"))
    found = behind(alone, "shop", "web", None, allow_loopback=False)
    assert [each.host for each in found.chosen] == ["10.0.0.2"]
    assert (found.leaving, found.why) == ((), "")
