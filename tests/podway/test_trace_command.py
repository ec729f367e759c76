from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from podway.lab.ports import Ports
from podway.trace import command
from podway.trace.command import guess_ports
from podway_cluster import Snapshot, load

OBJECTS = """# A balancer and a name server.
apiVersion: v1
kind: Service
metadata: {{name: router-apps, namespace: openshift-ingress}}
spec: {{type: LoadBalancer, ports: [{{name: http, port: 80}}]}}
status: {{loadBalancer: {{ingress: [{{ip: {address}}}]}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: dns-default, namespace: openshift-dns}}
spec: {{clusterIP: {address}, ports: [{{name: dns, port: 53, protocol: UDP}}]}}
"""


def at(address: str, directory: Path) -> Snapshot:
    (directory / "services.yaml").write_text(OBJECTS.format(address=address))
    return load([directory])


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        monkeypatch.setattr(command, "HTTP", (port, 1))
        yield port


def test_the_ports_of_a_lab_here_are_those_that_are_taken(listening: int, tmp_path: Path) -> None:
    assert guess_ports(at("127.0.0.1", tmp_path)).http == listening


def test_another_machine_has_the_usual_ports(tmp_path: Path) -> None:
    assert guess_ports(at("192.0.2.1", tmp_path)) == Ports(80, 443, 53)
