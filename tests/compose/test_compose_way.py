"""From the host through the published ports to the pods, with the tools that people have."""

from __future__ import annotations

import hashlib
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from compose_engine import run
from compose_lab import LB_A, LB_B, Lab

pytestmark = pytest.mark.compose

WEB = "web.apps.lab.example.test"
SHOP = "shop.apps.lab.example.test"
SECURE = "secure.apps.lab.example.test"
BYTES = 30_000_000
FILLER = bytes(range(256)) * 256
"""What a pod's /bytes/N repeats."""


def curl(host: str, port: int, address: str, path: str = "/", *more: str) -> bytes:
    scheme = "https" if more else "http"
    command = ["curl", "-sS", "--fail", "--max-time", "30", *more]
    command += ["--resolve", f"{host}:{port}:{address}", f"{scheme}://{host}:{port}{path}"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


@pytest.mark.parametrize("balancer", [LB_A, LB_B])
def test_a_download_arrives_whole(lab: Lab, balancer: str) -> None:
    got = hashlib.sha256(curl(WEB, lab.http, balancer, f"/bytes/{BYTES}")).hexdigest()
    whole, rest = divmod(BYTES, len(FILLER))
    assert got == hashlib.sha256(FILLER * whole + FILLER[:rest]).hexdigest()


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_names_are_resolved(lab: Lab, transport: str) -> None:
    server = [f"@{LB_A}", "-p", str(lab.dns), transport, "+short"]
    apps = run(["dig", *server, f"anything.{WEB.partition('.')[2]}"]).split()
    assert sorted(apps) == [lab.at("1.11"), lab.at("1.12")]
    ext = run(["dig", *server, "tickets.lab.example.test"]).split()
    assert ext[0] == "host.ext.lab.example.test."
    assert sorted(ext[1:]) == [lab.at("4.11"), lab.at("4.12")]


@pytest.mark.parametrize("balancer", [LB_A, LB_B])
def test_tls_reaches_the_pod_unopened(lab: Lab, balancer: str, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(lab.inside("secure", "cat", "/state/ca.pem"))
    answer = curl(SECURE, lab.https, balancer, "/", "--cacert", str(ca)).decode()
    assert "pod        secure-webapp" in answer
    assert "tls        TLSv1.3" in answer


@pytest.mark.parametrize("balancer", [LB_A, LB_B])
@pytest.mark.parametrize("name", ["account", "vault"])
def test_tls_ends_at_the_router(lab: Lab, name: str, balancer: str, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(lab.inside("router-a", "cat", "/state/ca.pem"))
    host = f"{name}.apps.lab.example.test"
    answer = curl(host, lab.https, balancer, "/", "--cacert", str(ca)).decode()
    assert "X-Forwarded-Proto: https" in answer
    assert ("tls        TLSv1.3" in answer) == (name == "vault")  # to the pod as well: reencrypt


def test_plain_http_is_sent_to_the_published_https_port(lab: Lab) -> None:
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{redirect_url}"]
    command += ["--resolve", f"{SECURE}:{lab.http}:{LB_A}", f"http://{SECURE}:{lab.http}/"]
    assert run(command) == f"https://{SECURE}:{lab.https}/"


def test_both_versions_get_their_share(lab: Lab) -> None:
    heads = (curl(SHOP, lab.http, LB_A).split()[1].decode() for _ in range(50))
    shares = Counter(head.rsplit("-", 2)[0] for head in heads)
    assert shares.total() == 50
    assert shares["shop-v1"] > 2 * shares["shop-v2"] > 0


def test_a_pod_that_is_not_ready_is_named_as_the_reason(lab: Lab) -> None:
    host = "report.apps.lab.example.test"
    command = ["curl", "-sS", "-w", "%{http_code}", "--resolve", f"{host}:{lab.http}:{LB_A}"]
    said = run([*command, f"http://{host}:{lab.http}/"])
    assert said.endswith("503")
    assert "no-endpoint" in said


def test_what_the_guide_prints_can_be_pasted(lab: Lab, tmp_path: Path) -> None:
    said = lab.engine.docker("logs", lab.container("guide"))
    assert lab.engine.docker("wait", lab.container("guide")).strip() == "0", said
    assert "first answer, from pod demo/simple-webapp-docker" in said
    starts = ("dig ", "curl ", "docker compose ")
    lines = [line.strip() for line in said.splitlines() if line.strip().startswith(starts)]
    assert [line.split()[0] for line in lines].count("curl") == 5
    # The one thing that differs is where the lab of this test lies.
    call = " ".join(lab.line())
    for line in lines:
        pasted = line.replace("docker compose", call).replace(" run --rm ", " run --rm -T ")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", pasted],
            env=lab.environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout or line.endswith("ca.pem"), f"{line}\n{done.stderr}"
        expected = 1 if "report." in line else 0  # the trace of what does not work, on purpose
        assert done.returncode == expected, f"{line}\n{done.stdout}{done.stderr}"
