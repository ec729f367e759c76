from __future__ import annotations

from pathlib import Path

import pytest

from podway.lab.plan import read_lab
from podway.lab.ports import Ports
from podway.lab.prepare import Prepared
from podway.lab.summary import greeting, hosts, paste, traceable, url, usage
from podway_cluster import Snapshot, load

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = (ROOT / "manifests" / "apps", ROOT / "manifests" / "lab")
HIGH, LOW = Ports(8080, 8443, 5353), Ports(80, 443, 53)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return load(MANIFESTS)


def plain(_: str, text: str) -> str:
    return text


def test_urls_name_a_port_only_where_it_is_not_the_usual_one() -> None:
    assert url("web.test", "", secure=False, ports=LOW) == "http://web.test/"
    assert url("web.test", "/a", secure=True, ports=HIGH) == "https://web.test:8443/a"


def test_the_first_host_is_the_plain_one(snapshot: Snapshot) -> None:
    found = hosts(snapshot, LOW)
    assert found[0].name == "web.apps.lab.example.test"
    assert found[0].leads_to == "simple-webapp-docker: 3 pods"
    assert [host.name for host in found if not host.ready] == ["report.apps.lab.example.test"]


def test_the_lines_to_paste(snapshot: Snapshot) -> None:
    lab = read_lab(snapshot)
    web = "web.apps.lab.example.test"
    lines = paste(lab, hosts(snapshot, HIGH), HIGH, Path("/ca.pem"))
    assert lines[:2] == [
        f"dig @127.0.1.53 -p 5353 {web} +short",
        f"curl --resolve {web}:8080:127.0.2.1 http://{web}:8080/",
    ]
    assert f"curl --resolve {web}:8080:127.0.2.2 http://{web}:8080/" in lines
    assert any(line.startswith("curl --cacert /ca.pem") for line in lines)
    assert traceable(hosts(snapshot, HIGH)) == [
        f"http://{web}:8080/",
        "https://secure.apps.lab.example.test:8443/",
        "http://report.apps.lab.example.test:8080/",
    ]
    assert paste(lab, hosts(snapshot, LOW), LOW, Path())[0] == f"dig @127.0.1.53 {web} +short"


def test_what_runs_is_said_first_and_how_to_use_it_last(snapshot: Snapshot) -> None:
    notes = ("127.0.2.1:80 needs root",)
    prepared = Prepared(read_lab(snapshot), snapshot, HIGH, notes, MANIFESTS, Path("/state"))
    first = "\n".join(greeting(prepared, plain))
    for words in ("lb-b", "router node-2", "11 pods", "http 8080", notes[0]):
        assert words in first
    last = "\n".join(usage(prepared, plain))
    assert "--cacert /state/ca.pem" in last
    assert "  podway trace http://web.apps" in last
    assert "Ctrl-C ends" in last
