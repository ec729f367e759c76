"""Zones: empty non-terminals, changes that share, longest match, what cuts hide."""

from __future__ import annotations

import random

from dns_zones import zone

from podway_dns import entries, names
from podway_dns.lookup import lookup
from podway_dns.records import RRset
from podway_dns.zone import Snapshot, Zone

A1 = (1, [b"\1\1\1\1"])
T = b"\1t\0"


def name(text: str) -> bytes:
    return names.from_text(text, T)


def test_empty_non_terminals_come_and_go() -> None:
    first = zone("t.", {"a.b.c": [A1]})
    assert name("b.c") in first.names
    assert not first.names[name("c")].sets
    second = first.changed({name("a.b.c"): (), name("x.c"): (RRset(*_set(A1)),)})
    assert name("b.c") not in second.names
    assert name("c") in second.names
    assert name("b.c") in first.names
    third = second.changed({name("x.c"): ()})
    assert set(third.names) == {T}


def _set(one: tuple[int, list[bytes]]) -> tuple[int, int, list[bytes]]:
    return one[0], 30, one[1]


def test_changes_equal_building_anew() -> None:
    dice = random.Random(4)
    labels = ["a", "b", "*"]
    owners = [name(".".join(dice.choices(labels, k=dice.randrange(1, 4)))) for _ in range(30)]
    records = {T: zone("t.", {}).names[T].sets}
    now = Zone(T, records)
    for _ in range(200):
        owner = dice.choice(owners)
        sets = () if dice.random() < 0.5 else (RRset(*_set(A1)),)
        now = now.changed({owner: sets})
        records[owner] = sets
        fresh = Zone(T, {o: s for o, s in records.items() if s})
        assert {n: node.sets for n, node in now.names.items()} == {
            n: node.sets for n, node in fresh.names.items()
        }
        assert now.hides == fresh.hides


def test_longest_match() -> None:
    outer = zone("t.", {"a": [A1], "x.sub": [A1], "*": [A1]})
    inner = zone("sub.t.", {"a": [A1]})
    both = Snapshot([outer, inner])
    assert lookup(both, name("x.sub"), 1).rcode == 3
    assert lookup(both, name("a.sub"), 1).answer
    assert lookup(both, name("sub"), 6).answer[0][0] == name("sub")
    assert lookup(both, name("q"), 1).answer
    assert lookup(both, b"\1u\0", 1).rcode == 5
    assert not lookup(both, b"\1u\0", 1).authoritative


def test_ds_is_answered_by_the_parent() -> None:
    cut = [(2, [b"\2ns\3sub\1t\0"]), (43, [b"\0\1\x08\2" + bytes(32)])]
    both = Snapshot([zone("t.", {"sub": cut}), zone("sub.t.", {})])
    found = lookup(both, name("sub"), 43)
    assert found.authoritative
    assert found.answer[0][1].rtype == 43
    assert lookup(both, name("sub"), 6).answer[0][0] == name("sub")


def test_a_zone_without_soa_is_not_served() -> None:
    assert not Snapshot([Zone(T, {name("a"): (RRset(1, 5, [b"\1\1\1\1"]),)})]).zones


def test_entries_round_trip_and_update() -> None:
    records = {
        T: zone("t.", {}).names[T].sets,
        name("*.a"): (RRset(1, 30, [b"\1\1\1\1", b"\2\2\2\2"]), RRset(16, 5, [b"\1x"])),
        names.from_labels([b"o/d d.\\"], T): (RRset(28, 1, [bytes(16)]),),
    }
    sent = entries.encode(T, records)
    first = entries.update(None, sent, sent.keys())
    for owner, sets in records.items():
        assert first.index[owner].sets == sets
    after = dict(sent)
    del after["rr/t./*.a"]
    second = entries.update(first, after, ["rr/t./*.a"])
    assert name("*.a") not in second.index
    assert name("*.a") in first.index
    assert not entries.update(second, {}, after.keys()).zones


def test_an_update_in_steps_is_the_same() -> None:
    records = {name(f"h{n}"): (RRset(*_set(A1)),) for n in range(2000)}
    records[T] = zone("t.", {}).names[T].sets
    sent = entries.encode(T, records)
    work = entries.Update(None, sent, sent.keys())
    steps = 1
    while work.step():
        steps += 1
    assert steps > 3
    assert work.snapshot is not None
    assert len(work.snapshot.index) == 2001
