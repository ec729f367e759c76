from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from podway.ask import exchange, request
from podway.pods.local import CANNOT_START, is_ours, local, serve_local
from podway_cluster import load

POD = """# A pod.
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: demo}}
spec:
  containers: [{{name: web, ports: [{{name: http, containerPort: {port}}}]}}]
status: {{phase: Running, podIP: {address}}}
---
"""
ELSEWHERE = "192.0.2.7"
"""RFC 5737: nobody's."""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        found: int = sock.getsockname()[1]
        return found


@pytest.fixture
def objects(tmp_path: Path, port: int) -> Path:
    ours = POD.format(name="ours", port=port, address="127.0.0.1")
    (tmp_path / "pods.yaml").write_text(ours + POD.format(name="x", port=80, address=ELSEWHERE))
    return tmp_path


def test_an_address_of_this_machine() -> None:
    assert is_ours("127.0.0.1")
    assert not is_ours(ELSEWHERE)


def test_only_pods_with_an_address_of_this_machine_are_ours(objects: Path, port: int) -> None:
    (pod,) = local(load([objects]))
    assert (pod.name, pod.host, pod.ports) == ("ours", "127.0.0.1", ((port, False),))


def test_no_pod_of_ours_is_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pods.yaml").write_text(POD.format(name="x", port=80, address=ELSEWHERE))
    assert serve_local([tmp_path], tmp_path, None) == CANNOT_START
    assert f"no Pod in {tmp_path} has an address of this machine" in capsys.readouterr().err


def test_a_taken_address_is_a_message(
    objects: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", port)):
        assert serve_local([objects], objects, None) == CANNOT_START
    assert f"demo/ours can't listen on 127.0.0.1:{port}" in capsys.readouterr().err


@pytest.mark.live
def test_it_serves_says_that_it_is_ready_and_ends_when_told(objects: Path, port: int) -> None:
    with socket.create_server(("127.0.0.2", 0)) as sock:
        admin = sock.getsockname()
    command = [sys.executable, "-m", "podway.command", "pods", "--manifests", str(objects)]
    command += ["--admin", f"{admin[0]}:{admin[1]}", "--state-dir", str(objects / "state")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            assert process.stderr is not None
            assert f"pod demo/ours listens on 127.0.0.1:{port}\n" == process.stderr.readline()
            for address, path in ((("127.0.0.1", port), "/"), (admin, "/healthz/ready")):
                with socket.create_connection(address, 10) as client:
                    assert exchange(client, request("x.test", path, "*/*")).status == 200
        finally:
            process.terminate()
        assert process.wait(10) == 0
