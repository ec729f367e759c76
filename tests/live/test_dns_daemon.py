"""podway-dns with the lab's manifests, asked by dig over UDP and TCP."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dns_daemon import LAB, Daemon, running
from dns_peers import ask, tool
from dns_zones import query

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("dns"), "--manifests", str(LAB), workers=2) as started:
        yield started


def dig(daemon: Daemon, *args: str) -> str:
    command = [tool("dig"), f"@{daemon.host}", "-p", str(daemon.port), "+tries=1", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_wildcard_addresses(daemon: Daemon, transport: str) -> None:
    found = dig(daemon, "+short", transport, "web.apps.lab.example.test", "A")
    assert sorted(found.split()) == ["127.0.2.1", "127.0.2.2"]


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_alias_is_followed(daemon: Daemon, transport: str) -> None:
    found = dig(daemon, "+short", transport, "any.thing.ext.lab.example.test", "A").split()
    assert found[0] == "host.ext.lab.example.test."
    assert sorted(found[1:]) == ["127.0.3.1", "127.0.3.2"]


def test_nodata_nxdomain_refused(daemon: Daemon) -> None:
    nodata = dig(daemon, "web.apps.lab.example.test", "AAAA")
    assert "status: NOERROR" in nodata
    assert "ANSWER: 0, AUTHORITY: 1" in nodata
    assert "status: NXDOMAIN" in dig(daemon, "nope.lab.example.test")
    refused = dig(daemon, "www.example.org")
    assert "status: REFUSED" in refused
    assert " aa" not in refused.split("flags:")[1].split(";")[0]


def test_apex(daemon: Daemon) -> None:
    assert dig(daemon, "+short", "lab.example.test", "NS").strip() == "ns.lab.example.test."
    assert dig(daemon, "+short", "lab.example.test", "SOA").startswith("ns.lab.example.test. ")
    assert dig(daemon, "+short", "ns.lab.example.test").strip() == "127.0.0.1"


def test_cookie_is_good(daemon: Daemon) -> None:
    assert "(good)" in dig(daemon, "web.apps.lab.example.test", "+cookie")


def test_orders_rotate(daemon: Daemon) -> None:
    message = query(b"\3web\4apps\3lab\7example\4test\0", 1)
    firsts = set()
    for _ in range(8):
        reply = ask(daemon.port, message)
        assert reply is not None
        firsts.add(reply[len(message) + 12 : len(message) + 16])
    assert len(firsts) == 2


def test_check_names_the_problem(tmp_path: Path) -> None:
    bad = tmp_path / "db.bad.test"
    bad.write_text("$TTL 5\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 1.2.3.999\n")
    from dns_daemon import COMMAND

    done = subprocess.run(
        [COMMAND, "--check", "--zone-file", str(bad)], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert f"{bad}:4: zone bad.test: " in done.stdout


def test_port_taken_is_said(daemon: Daemon) -> None:
    from dns_daemon import COMMAND

    done = subprocess.run(
        [COMMAND, "--listen", f"127.0.0.1:{daemon.port}", "--zone", "x.test"],
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.returncode == 3
    assert f"127.0.0.1:{daemon.port}" in done.stderr
