from __future__ import annotations

from pathlib import Path

import pytest

from podway.guide import Options, inner, paste, text, wait
from podway.lab.ports import Ports
from podway.lab.summary import Host, hosts
from podway_cluster import Snapshot, load

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = (ROOT / "manifests" / "apps", ROOT / "manifests" / "compose")
PORTS = Ports(8080, 8443, 5300)
OPTIONS = Options(MANIFESTS, ("127.0.0.1", "127.0.0.2"), PORTS, "show-ca", "run-client")


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return load(MANIFESTS)


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> list[Host]:
    return hosts(snapshot, PORTS)


def test_the_lines_name_the_published_addresses_and_ports(found: list[Host]) -> None:
    web = "web.apps.lab.example.test"
    *lines, account, vault = paste(OPTIONS, found)
    assert "account.apps.lab.example.test:8443:127.0.0.1" in account  # edge
    assert "vault.apps.lab.example.test:8443:127.0.0.1" in vault  # reencrypt
    secure = "secure.apps.lab.example.test"
    assert lines == [
        f"dig @127.0.0.1 -p 5300 {web} +short",
        f"curl --resolve {web}:8080:127.0.0.1 http://{web}:8080/",
        f"curl --resolve {web}:8080:127.0.0.2 http://{web}:8080/",
        "show-ca > ca.pem",
        f"curl --cacert ca.pem --resolve {secure}:8443:127.0.0.1 https://{secure}:8443/",
    ]


def test_hosts_of_a_shard_that_is_not_published_are_shown_as_clients_see_them(
    snapshot: Snapshot, found: list[Host]
) -> None:
    unpublished = inner(snapshot, found)
    assert [host.name for host in unpublished] == [
        "tickets.ext.lab.example.test",
        "tickets.lab.example.test",
    ]
    said = "\n".join(text(OPTIONS, found, unpublished))
    assert "http://web.apps.lab.example.test:8080/ " in said
    assert "http://tickets.ext.lab.example.test/ " in said
    assert "run-client podway trace http://tickets.ext.lab.example.test/\n" in said
    assert "run-client podway trace http://report.apps.lab.example.test/\n" in said


def test_without_a_client_nothing_is_said_of_one(found: list[Host]) -> None:
    said = "\n".join(text(OPTIONS._replace(client=""), found, []))
    assert "clients' network" not in said


def test_it_waits_until_there_is_an_answer() -> None:
    answers = iter([OSError("refused"), False, True])

    def ask() -> bool:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    assert wait(ask, 60)


def test_it_gives_up() -> None:
    assert not wait(lambda: False, 0)
