"""The same zone files and questions for podway-dns, NSD and Knot: the same answers.

Compared are rcode, flags, the answer and authority sections as RRsets, and the glue of referrals.
Deviations, each with its reason:
- ANY over UDP: one RRset of those there are, and which one is free (RFC 8482 section 4.1).
- Chains that loop or grow for ever (CNAME, DNAME): every server stops somewhere, none of them is
  wrong (RFC 1034 section 3.6.2 asks only for not failing); the rcode and the first record count.
- DNAME whose result is too long: YXDOMAIN is due (RFC 6672 section 2.2), NSD answers NOERROR.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rdatatype
import pytest
from dns_peers import Peer, ask, knot, nsd
from dns_zones import opt, query

from podway_dns import names
from podway_dns.answer import answer
from podway_dns.asked import Asked
from podway_dns.sources import zonefile
from podway_dns.zone import Snapshot, Zone

pytestmark = pytest.mark.live

HEAD = "$ORIGIN {0}\n$TTL 300\n@ IN SOA ns hm 7 3600 600 86400 60\n  NS ns\nns A 192.0.2.1\n"
HAND = (
    HEAD.format("t.")
    + """a A 10.0.0.1
a A 10.0.0.2
a TXT "x"
*.w A 10.0.0.1
x.y.w TXT "blocked"
c1 CNAME c2
c2 CNAME a
c3 CNAME gone
c4 CNAME www.out.example.
l1 CNAME l2
l2 CNAME l1
l0 CNAME l0
*.wc CNAME a
*.wl CNAME foo.wl
*.wg CNAME gone
*.wx CNAME z.w
e.n.t A 10.3.3.3
d DNAME a.w
d2 DNAME other.example.
sub NS ns.sub
sub NS ns.out.example.
sub NS ns
ns.sub A 10.5.5.5
ns.sub AAAA 2001:db8::5
sub DS 1 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
sub2 NS ns.sub
x.sub2 A 10.1.1.1
cs CNAME x.sub
cd CNAME x.d
mx MX 10 a
mx MX 20 mail.w
srv SRV 1 2 3 a
u TYPE65400 \\# 4 0a000001
h HTTPS 1 . alpn=h2
caa CAA 0 issue "le.example"
nap NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:x@y!" .
_443._tcp.a TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
ssh SSHFP 4 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
svcb SVCB 1 a port=8443
1.ptr PTR a
*.lit.x A 10.9.9.9
deep.*.lit2 A 10.8.8.8
*.a.wa A 1.1.1.1
"""
)
TYPES = [1, 28, 2, 5, 6, 12, 15, 16, 33, 35, 39, 43, 44, 52, 64, 65, 255, 257, 65400, 9999]
LABELS = ["a", "b", "*", "w", "c-1"]


def random_zone(origin: str, seed: int) -> str:
    """Write a zone of few labels, so that wildcards, cuts, aliases and empty names meet."""
    dice = random.Random(seed)
    lines, dnames = [HEAD.format(origin)], []
    owners = {_name(dice, 3) for _ in range(dice.randrange(4, 14))} - {"@"}
    for owner in sorted(owners, key=lambda each: (each.count("."), each)):
        if any(owner.endswith(f".{above}") for above in dnames):
            continue  # data below a DNAME is not allowed (RFC 6672 section 2.4)
        kind = dice.choice(["A", "A", "A", "AAAA", "TXT", "CNAME", "CNAME", "NS", "DNAME", "MX"])
        if owner.startswith("*") and kind in ("NS", "DNAME"):
            kind = "A"
        if kind == "DNAME":
            dnames.append(owner)
        lines += _lines(dice, owner, kind)
    return "\n".join(lines) + "\n"


def _name(dice: random.Random, most: int) -> str:
    return ".".join(dice.choice(LABELS) for _ in range(dice.randrange(most + 1))) or "@"


def _lines(dice: random.Random, owner: str, kind: str) -> list[str]:
    target = dice.choice([_name(dice, 3).replace("@", "ns"), "out.example."])
    one = {"A": "10.1.1.1", "AAAA": "2001:db8::1", "TXT": '"t"', "MX": f"5 {target}"}
    lines = [f"{owner} {kind} {one.get(kind, target)}"]
    return [*lines, f"{owner} A 10.2.2.2"] if kind in ("A", "TXT", "MX") else lines


ORIGINS = {"t.": HAND} | {f"z{n}.test.": random_zone(f"z{n}.test.", n) for n in range(12)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("zones")
    found = {origin: directory / f"db.{origin}zone" for origin in ORIGINS}
    for origin, path in found.items():
        path.write_text(ORIGINS[origin])
    return found


@pytest.fixture(scope="module")
def ours(files: dict[str, Path]) -> Snapshot:
    zones = []
    for origin, path in files.items():
        loaded = zonefile.load(f"{origin}={path}")
        assert loaded.zone, loaded.problems
        zones.append(Zone(loaded.zone.origin, loaded.zone.sets()))
    return Snapshot(zones)


@pytest.fixture(scope="module", params=["nsd", "knot"])
def peer(
    request: pytest.FixtureRequest, files: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Peer]:  # fmt: skip
    start = {"nsd": nsd, "knot": knot}[request.param]
    with start(tmp_path_factory.mktemp(request.param), files) as running:
        yield running


def rrsets(section: list[dns.rrset.RRset]) -> list[tuple[object, ...]]:
    return sorted(
        (one.name.to_text().lower(), int(one.rdtype), one.ttl,
         tuple(sorted(data.to_text().lower() for data in one)))
        for one in section
    )  # fmt: skip


def meaning(message: dns.message.Message) -> tuple[object, ...]:
    referral = not message.answer and any(one.rdtype == 2 for one in message.authority)
    glue = rrsets(message.additional) if referral else []
    return (message.rcode(), dns.flags.to_text(message.flags), message.edns,
            rrsets(message.answer), rrsets(message.authority), glue)  # fmt: skip


def endless(message: dns.message.Message) -> bool:
    """Tell whether a chain of aliases ends where it has been, or is long."""
    links = [one for one in message.answer if one.rdtype == dns.rdatatype.CNAME]
    owners = {one.name for one in links}
    return len(links) > 4 or any(one[0].target in owners for one in links[-1:])


def same(mine: bytes, theirs: bytes, rtype: int) -> bool:
    left, right = dns.message.from_wire(mine), dns.message.from_wire(theirs)
    if meaning(left) == meaning(right):
        return True
    if endless(left) or endless(right):
        return left.rcode() in (right.rcode(), 6) and bool(left.answer) >= (left.rcode() != 6)
    if rtype == 255 and left.rcode() == right.rcode() and left.answer and right.answer:
        return left.flags == right.flags
    return False


def questions(origin: str) -> list[str]:
    """Give names worth asking for: what is there, its parents, its children, its neighbours."""
    text = ORIGINS[origin]
    owners = {line.split()[0] for line in text.splitlines()[4:] if line.strip() and line[0] != " "}
    found = {"@", "nope", "*"} | owners
    for owner in owners - {"@"}:
        labels = owner.split(".")
        found |= {".".join(labels[n:]) for n in range(len(labels))}
        found |= {f"q.{owner}", f"*.{owner}", f"p.q.{owner}"}
        found |= {".".join(["q", *labels[1:]]), owner.replace("*", "star")}
    return sorted(found - {""})


def test_the_same_answers(peer: Peer, ours: Snapshot) -> None:
    wrong, asked = [], 0
    for origin in ORIGINS:
        types = TYPES if origin == "t." else [1, 2, 5, 16, 28, 43, 255]
        for owner in questions(origin):
            name = names.from_text(owner, names.from_text(origin))
            for rtype in types:
                message = query(name, rtype, opt=opt(1232), qid=asked & 0xFFFF)
                mine = answer(message, Asked(udp=True), ours)
                theirs = ask(peer.port, message)
                asked += 1
                if mine is None or theirs is None or not same(mine, theirs, rtype):
                    wrong.append((origin, owner, rtype))
    assert asked > 3000
    assert not wrong, f"{len(wrong)} of {asked}: {wrong[:20]}"
