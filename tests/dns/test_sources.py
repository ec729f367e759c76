"""Objects and files to zones: apex, DNSRecords, the ACME trap, serials, zone files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from podway_cluster.load import load
from podway_dns import entries, names
from podway_dns.lookup import lookup
from podway_dns.sources import serials, txtfile, zonefile
from podway_dns.sources.apex import Server
from podway_dns.sources.build import Built, Settings, Sources, build
from podway_dns.sources.serials import Mark
from podway_dns.zone import Snapshot

BASE = """apiVersion: config.openshift.io/v1
kind: DNS
metadata: {name: cluster}
spec: {baseDomain: lab.test}
---
"""


def record(name: str, kind: str, targets: str, ttl: int = 30) -> str:
    key = name.strip(".").replace("*", "x").replace("_", "u")
    return (
        "apiVersion: ingress.operator.openshift.io/v1\nkind: DNSRecord\n"
        f"metadata: {{name: r-{key}-{kind.lower()}, namespace: d}}\n"
        f"spec: {{dnsName: '{name}', recordType: {kind}, recordTTL: {ttl}, "
        f"targets: [{targets}]}}\n---\n"
    )


def built(
    directory: Path, text: str, texts: str = "", marks: Mapping[str, Mark] | None = None,
    **settings: Any,
) -> Built:  # fmt: skip
    (directory / "objects.yaml").write_text(text)
    sources = Sources(load([directory]), texts=txtfile.parse(texts, "txt"))
    return build(sources, Settings(**settings), marks or {}, 1_700_000_000)


def snapshot(made: Built) -> Snapshot:
    return entries.update(None, made.entries, made.entries.keys())


def ask(made: Built, name: str, rtype: int) -> tuple[int, list[bytes]]:
    found = lookup(snapshot(made), names.absolute(name), rtype)
    return found.rcode, [data for _, one in found.answer for data in one.rdatas]


def test_dns_records(tmp_path: Path) -> None:
    made = built(
        tmp_path,
        BASE + record("*.apps.lab.test.", "A", "192.0.2.1, 192.0.2.2")
        + record("x.lab.test.", "AAAA", "'2001:db8::1'")
        + record("*.ext.lab.test.", "CNAME", "gone.lab.test."),
    )  # fmt: skip
    assert made.problems == ()
    assert ask(made, "a.b.apps.lab.test", 1) == (0, [b"\xc0\0\2\1", b"\xc0\0\2\2"])
    assert ask(made, "x.lab.test", 1) == (0, [])
    assert ask(made, "q.ext.lab.test", 1)[0] == 3


def test_a_bad_record_is_named_and_the_others_serve(tmp_path: Path) -> None:
    made = built(
        tmp_path,
        BASE + record("a.lab.test.", "CNAME", "b.lab.test.") + record("a.lab.test.", "A", "1.1.1.1")
        + record("out.example.", "A", "1.1.1.1") + record("ok.lab.test.", "A", "1.1.1.1"),
    )  # fmt: skip
    assert len(made.problems) == 2
    assert "dnsrecord d/r-a.lab.test-a: spec.dnsName: a.lab.test. can't have A" in made.problems[0]
    assert "out.example. is in no zone that is served (" in made.problems[1]
    assert ask(made, "ok.lab.test", 1)[1] == [b"\1\1\1\1"]


def test_apex(tmp_path: Path) -> None:
    servers = (Server("ns1", ("192.0.2.53",)), Server("ns.other.example."))
    made = built(tmp_path, BASE, servers=servers)
    assert ask(made, "lab.test", 2)[1] == [b"\3ns1\3lab\4test\0", b"\2ns\5other\7example\0"]
    assert ask(made, "ns1.lab.test", 1)[1] == [b"\xc0\0\2\x35"]
    assert len(ask(made, "lab.test", 6)[1]) == 1


CHALLENGE = "_acme-challenge.foo.apps.lab.test token\n"


def test_the_acme_trap_is_closed(tmp_path: Path) -> None:
    objects = BASE + record("*.apps.lab.test.", "A", "192.0.2.1")
    made = built(tmp_path, objects, CHALLENGE)
    assert ask(made, "_acme-challenge.foo.apps.lab.test", 16)[1] == [b"\5token"]
    for name in ("foo.apps.lab.test", "bar.apps.lab.test", "x.foo.apps.lab.test"):
        assert ask(made, name, 1) == (0, [b"\xc0\0\2\1"]), name
    assert ask(made, "foo.apps.lab.test", 28) == (0, [])


def test_the_acme_trap_deep_and_with_an_alias(tmp_path: Path) -> None:
    objects = BASE + record("*.ext.lab.test.", "CNAME", "host.ext.lab.test.")
    objects += record("host.ext.lab.test.", "A", "192.0.2.9")
    made = built(tmp_path, objects, "_acme-challenge.a.b.ext.lab.test t\n")
    for name in ("a.b.ext.lab.test", "b.ext.lab.test", "q.b.ext.lab.test", "q.a.b.ext.lab.test"):
        assert ask(made, name, 1)[1][-1] == b"\xc0\0\2\x09", name


def test_a_name_that_somebody_wrote_is_left_as_it_is(tmp_path: Path) -> None:
    objects = BASE + record("*.apps.lab.test.", "A", "192.0.2.1")
    objects += record("foo.apps.lab.test.", "AAAA", "'2001:db8::1'")
    made = built(tmp_path, objects, CHALLENGE)
    assert ask(made, "foo.apps.lab.test", 1) == (0, [])


def test_serials_move_with_the_content_only(tmp_path: Path) -> None:
    first = built(tmp_path, BASE)
    again = built(tmp_path, BASE, marks=first.marks)
    changed = built(tmp_path, BASE + record("a.lab.test.", "A", "1.1.1.1"), marks=again.marks)
    assert first.marks["lab.test."].serial == again.marks["lab.test."].serial == 1_700_000_000
    assert changed.marks["lab.test."].serial == 1_700_000_001
    assert changed.entries["rr/lab.test./@"] != first.entries["rr/lab.test./@"]


@pytest.mark.parametrize(
    ("last", "digest", "base", "serial"),
    [
        (None, "a", 7, 7),
        (Mark("a", 7, 7), "a", 7, 7),
        (Mark("a", 7, 7), "b", 9, 9),
        (Mark("a", 7, 7), "b", 7, 8),
        (Mark("a", 9, 7), "b", 8, 10),
        (Mark("a", 2**32 - 1, 0), "b", 0, 0),
        (Mark("a", 5, 0), "b", 0, 1000),
    ],
)
def test_advance(last: Mark | None, digest: str, base: int, serial: int) -> None:
    now = 1000 if last and last.serial == 5 else 4_294_967_295
    assert serials.advance(last, digest, base, now).serial == serial


def test_address_names(tmp_path: Path) -> None:
    made = built(tmp_path, BASE, address_zones=(names.absolute("ip.lab.test"),))
    for name in ("10-0-0-1.ip.lab.test", "a.b.10.0.0.1.ip.lab.test", "web-10-0-0-1.ip.lab.test",
                 "0a000001.ip.lab.test", "x.10-0-0-1.ip.lab.test"):  # fmt: skip
        assert ask(made, name, 1) == (0, [b"\x0a\0\0\1"]), name
        assert ask(made, name, 28) == (0, [])
    assert ask(made, "--1.ip.lab.test", 28) == (0, [bytes(15) + b"\1"])
    assert ask(made, "2001-db8--1.ip.lab.test", 28)[1]
    for name in ("0.0.1.ip.lab.test", "1.ip.lab.test"):
        assert ask(made, name, 1) == (0, []), name
    for name in ("nope.ip.lab.test", "300-0-0-1.ip.lab.test", "256.0.0.1.ip.lab.test",
                 "10-0-0-1.x.ip.lab.test"):  # fmt: skip
        assert ask(made, name, 1)[0] == 3, name


HEAD = "$TTL 5\n@ SOA a b 1 2 3 4 5\n@ NS a\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (HEAD + "x A 1.2.3.4\nx CNAME y\n", 5, "can't have CNAME beside A"),
        (HEAD + "x A 1.2.3\n", 4, ""),
        (HEAD + "\n; c\ny A (\n 1.2.3.4\n", 6, ""),
        (HEAD + "x NOSUCH y\n", 4, "unknown rdatatype 'NOSUCH'"),
        (HEAD + "$INCLUDE ../x\n", 4, "lies outside"),
        (HEAD + "$INCLUDE gone\n", 1, "can't be read: No such file"),
        (HEAD + "*.x NS y\n", 1, "undefined"),
        (HEAD + "x.other. A 1.1.1.1\n", 1, "outside the zone"),
        ("$TTL 5\n@ NS a\n", 1, "no SOA"),
        ("$TTL 5\n@ SOA a b 1 2 3 4 5\n", 1, "has no NS"),
    ],
)
def test_zone_file_errors_have_file_and_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    path = tmp_path / "db.bad.test"
    path.write_text(text)
    loaded = zonefile.load(str(path))
    assert loaded.zone is None
    said = str(loaded.problems[0])
    assert f":{line}: zone" in said
    assert message in said


def test_include_below_keeps_origin_and_lines(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "inc").write_text("x A 10.0.0.1\n$ORIGIN deeper.t.test.\ny A 10.0.0.2\n")
    path = tmp_path / "db.t.test"
    path.write_text(HEAD + "$INCLUDE sub/inc sub ; why\nz A 10.0.0.3\nbad A\n")
    assert str(loaded_problem(path)).startswith(f"{path}:6: ")
    path.write_text(HEAD + "$INCLUDE sub/inc sub ; why\nz A 10.0.0.3\n")
    loaded = zonefile.load(str(path))
    assert loaded.zone is not None
    owners = {names.to_text(owner) for owner in loaded.zone.records}
    assert owners == {"t.test.", "x.sub.t.test.", "y.deeper.t.test.", "z.t.test."}
    assert [part.name for part in loaded.files] == ["db.t.test", "inc"]


def loaded_problem(path: Path) -> object:
    return zonefile.load(str(path)).problems[0]


def test_txt_file() -> None:
    found = txtfile.parse('# c\n\na.t \'x\nb.t "q w"\nbad\n..x y\n', "f")
    assert found.records == ((b"\1a\1t\0", b"\2'x"), (b"\1b\1t\0", b"\3q w"))
    assert [each.line for each in found.problems] == [5, 6]
