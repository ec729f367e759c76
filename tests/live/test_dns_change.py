"""Changes while clients ask: objects, zone files, the TXT file; dead processes; two servers."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import dns.resolver
import pytest
from dns_daemon import Daemon, running, wait_until
from dns_peers import ask, tool
from dns_zones import query

pytestmark = pytest.mark.live

HEAD = "$TTL 300\n@ SOA ns hm 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"
DNS = (
    "apiVersion: config.openshift.io/v1\nkind: DNS\nmetadata: {name: cluster}\n"
    "spec: {baseDomain: lab.test}\n"
)


def record(name: str, address: str) -> str:
    return (
        "apiVersion: ingress.operator.openshift.io/v1\nkind: DNSRecord\n"
        f"metadata: {{name: {name}, namespace: d}}\n"
        f"spec: {{dnsName: '{name}.lab.test.', recordType: A, targets: [{address}]}}\n"
    )


def place(path: Path, text: str) -> None:
    """Replace a file in one step, as careful programs do."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text)
    draft.rename(path)


def wire(name: str) -> bytes:
    return b"".join(bytes((len(one),)) + one.encode() for one in name.split(".")) + b"\0"


def answers(daemon: Daemon, name: str, rtype: int = 1) -> Callable[[], bool]:
    def check() -> bool:
        reply = ask(daemon.port, query(wire(name), rtype))
        return reply is not None and reply[3] & 15 == 0 and reply[7] > 0

    return check


def number(pattern: str, text: str) -> int:
    line = next(one for one in text.splitlines() if pattern in one)
    return int(line.split(":")[1].split()[0])


def test_no_query_is_lost_while_zones_change(tmp_path: Path) -> None:
    objects, zone = tmp_path / "objects", tmp_path / "db.zone.test"
    objects.mkdir()
    place(objects / "dns.yaml", DNS)
    place(objects / "a.yaml", record("a", "192.0.2.1"))
    zone.write_text(HEAD + "".join(f"h{n} A 10.0.0.1\n" for n in range(5000)))
    questions = tmp_path / "questions"
    questions.write_text("a.lab.test A\nh1.zone.test A\nnope.zone.test A\nns.zone.test AAAA\n")
    with running(
        tmp_path, "--manifests", str(objects), "--zone-file", str(zone), workers=2
    ) as daemon:
        load = subprocess.Popen(
            [tool("dnsperf"), "-s", "127.0.0.1", "-p", str(daemon.port), "-d", str(questions),
             "-l", "4", "-Q", "1000", "-q", "20"], stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        for n in range(8):
            place(objects / "a.yaml", record("a", f"192.0.2.{n}"))
            place(objects / f"n{n}.yaml", record(f"n{n}", "192.0.2.9"))
            wait_until(answers(daemon, f"n{n}.lab.test"), f"record n{n}")
            if n % 4 == 0:
                more = "".join(f"h{m} A 10.0.0.{n}\n" for m in range(5000)) + f"z{n} A 10.9.9.9\n"
                place(zone, HEAD.replace(" 1 ", f" {n + 2} ") + more)
                wait_until(answers(daemon, f"z{n}.zone.test"), f"zone file {n}", 20)
        found = load.communicate(timeout=30)[0]
    assert number("Queries sent", found) > 500
    assert number("Queries lost", found) == 0


def test_a_challenge_is_seen_and_takes_no_site_down(tmp_path: Path) -> None:
    objects, texts = tmp_path / "objects", tmp_path / "challenges"
    objects.mkdir()
    place(objects / "dns.yaml", DNS)
    wild = record("wild", "192.0.2.1").replace("dnsName: 'wild.", "dnsName: '*.apps.")
    place(objects / "wild.yaml", wild)
    texts.write_text("")
    with running(
        tmp_path, "--manifests", str(objects), "--txt-file", str(texts), workers=2
    ) as daemon:
        site, challenge = "foo.apps.lab.test", "_acme-challenge.foo.apps.lab.test"
        assert answers(daemon, site)()
        with texts.open("a") as file:
            file.write(f"{challenge} token\n")
        wait_until(answers(daemon, challenge, 16), "the challenge")
        assert answers(daemon, site)()
        texts.write_text("")
        wait_until(lambda: not answers(daemon, challenge, 16)(), "the challenge gone")
        assert answers(daemon, site)()


def test_a_bad_zone_file_leaves_the_last_good_one(tmp_path: Path) -> None:
    zone = tmp_path / "db.zone.test"
    zone.write_text(HEAD + "a A 192.0.2.1\n")
    with running(tmp_path, "--zone-file", str(zone), workers=1) as daemon:
        place(zone, HEAD + "a A 192.0.2.999\n")
        wait_until(lambda: f"{zone}:5: zone" in daemon.log.read_text(), "the problem in the log")
        assert answers(daemon, "a.zone.test")()
        _kill(daemon, "loader")
        wait_until(lambda: _child(daemon, "loader") is not None, "a new loader")
        wait_until(lambda: daemon.page("/healthz/ready").startswith("ready"), "ready again")
        assert answers(daemon, "a.zone.test")()
        place(zone, HEAD + "b A 192.0.2.1\n")
        wait_until(answers(daemon, "b.zone.test"), "the good file")


def _child(daemon: Daemon, role: str) -> int | None:
    master = daemon.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    for pid in map(int, children):
        try:
            if role.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        except OSError:
            continue
    return None


def _kill(daemon: Daemon, role: str) -> None:
    pid = _child(daemon, role)
    assert pid is not None, f"no {role}"
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: _child(daemon, role) != pid, f"{role} {pid} gone")


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path, "--zone", "z.test", workers=1) as daemon:
        _kill(daemon, "worker")
        wait_until(answers(daemon, "z.test", 6), "answers again")


def test_two_servers_one_killed(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--zone", "z.test") as first,
        running(tmp_path, "--zone", "z.test", host="127.0.0.1") as second,
    ):
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver("127.0.0.1", one.port) for one in (first, second)
        ]
        resolver.timeout, resolver.lifetime = 0.5, 5
        assert resolver.resolve("z.test", "SOA")
        os.kill(first.process.pid, signal.SIGTERM)
        assert first.process.wait(15) == 0
        for _ in range(5):
            assert resolver.resolve("z.test", "SOA")


def test_reload_by_hangup_loses_nothing(tmp_path: Path) -> None:
    questions = tmp_path / "questions"
    questions.write_text("z.test SOA\nnope.z.test A\n")
    with running(tmp_path, "--zone", "z.test", workers=2) as daemon:
        load = subprocess.Popen(
            [tool("dnsperf"), "-s", "127.0.0.1", "-p", str(daemon.port), "-d", str(questions),
             "-l", "3", "-Q", "500", "-q", "20"], stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        before = _child(daemon, "worker")
        os.kill(daemon.process.pid, signal.SIGHUP)
        wait_until(lambda: _child(daemon, "worker") not in (before, None), "a new generation", 15)
        found = load.communicate(timeout=30)[0]
    assert number("Queries lost", found) == 0
