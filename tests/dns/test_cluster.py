"""The Kubernetes DNS specification 1.1.0, section by section."""

from __future__ import annotations

from pathlib import Path

from podway_cluster.load import load
from podway_dns import entries, names
from podway_dns.lookup import lookup
from podway_dns.sources.build import Settings, Sources, build
from podway_dns.zone import Snapshot

OBJECTS = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  clusterIPs: [10.3.0.100, "2001:db8::100"]
  clusterIP: 10.3.0.100
  ports: [{name: https, port: 443}]
---
apiVersion: v1
kind: Service
metadata: {name: plain, namespace: shop}
spec: {clusterIP: 10.3.0.101, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: head, namespace: shop}
spec: {clusterIP: None, ports: [{name: https, port: 443}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: shop}
spec: {clusterIP: None, ports: [{name: https, port: 443}]}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: shop}
spec: {type: ExternalName, externalName: www.example.test}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: head-1, namespace: shop, labels: {kubernetes.io/service-name: head}}
addressType: IPv4
ports: [{name: https, port: 8443}]
endpoints:
- {addresses: [10.3.0.11], hostname: my-pet}
- {addresses: [10.3.0.12]}
- {addresses: [10.3.0.13], conditions: {ready: false}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.9.0.1, podIPs: [{ip: 10.9.0.1}]}
"""


def snapshot(directory: Path) -> Snapshot:
    (directory / "objects.yaml").write_text(OBJECTS)
    settings = Settings(cluster=names.absolute("cluster.local"), pods=True)
    made = build(Sources(load([directory])), settings, {}, 1)
    assert made.problems == ()
    return entries.update(None, made.entries, made.entries.keys())


def ask(zones: Snapshot, name: str, rtype: int) -> tuple[int, list[bytes]]:
    found = lookup(zones, names.absolute(name), rtype)
    assert all(one.ttl == 5 for _, one in found.answer if one.rtype != 16)
    return found.rcode, [data for _, one in found.answer for data in one.rdatas]


def test_version(tmp_path: Path) -> None:
    assert ask(snapshot(tmp_path), "dns-version.cluster.local", 16) == (0, [b"\x051.1.0"])


def test_cluster_ip(tmp_path: Path) -> None:
    zones = snapshot(tmp_path)
    web = "web.shop.svc.cluster.local"
    assert ask(zones, web, 1)[1] == [bytes((10, 3, 0, 100))]
    assert len(ask(zones, web, 28)[1][0]) == 16
    srv = b"\0\0\0\x64" + (443).to_bytes(2, "big") + names.absolute(web)
    assert ask(zones, f"_https._tcp.{web}", 33)[1] == [srv]
    assert ask(zones, "_tcp.plain.shop.svc.cluster.local", 33)[0] == 3  # no name, no record
    assert ask(zones, "100.0.3.10.in-addr.arpa", 12)[1] == [names.absolute(web)]
    assert ask(zones, "99.0.3.10.in-addr.arpa", 12)[0] == 5  # not ours to deny
    assert ask(zones, "shop.svc.cluster.local", 1) == (0, [])
    assert ask(zones, "nope.shop.svc.cluster.local", 1)[0] == 3


def test_headless(tmp_path: Path) -> None:
    zones = snapshot(tmp_path)
    head = "head.shop.svc.cluster.local"
    assert ask(zones, head, 1)[1] == [b"\x0a\3\0\x0b", b"\x0a\3\0\x0c"]
    assert ask(zones, f"my-pet.{head}", 1)[1] == [b"\x0a\3\0\x0b"]
    assert ask(zones, f"10-3-0-12.{head}", 1)[1] == [b"\x0a\3\0\x0c"]
    srv = ask(zones, f"_https._tcp.{head}", 33)[1]
    assert len(srv) == 2
    assert srv[0].endswith((8443).to_bytes(2, "big") + names.absolute(f"my-pet.{head}"))
    assert ask(zones, "11.0.3.10.in-addr.arpa", 12)[1] == [names.absolute(f"my-pet.{head}")]
    assert ask(zones, "empty.shop.svc.cluster.local", 1)[0] == 3


def test_external_name(tmp_path: Path) -> None:
    found = ask(snapshot(tmp_path), "out.shop.svc.cluster.local", 1)
    assert found == (0, [names.absolute("www.example.test")])


def test_pods(tmp_path: Path) -> None:
    zones = snapshot(tmp_path)
    assert ask(zones, "10-9-0-1.shop.pod.cluster.local", 1)[1] == [b"\x0a\x09\0\1"]
    assert ask(zones, "10-9-0-2.shop.pod.cluster.local", 1)[0] == 3
