from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from podway_cluster import load
from podway_cluster.parse import caps
from podway_cluster.store import Store

BAD = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: a, namespace: shop}\n"


def test_what_is_added_changed_and_removed(tree: Any) -> None:
    assert tree.hosts() == {}
    tree.route("a", "a.test")
    tree.route("b", "b.test", "below/here/b.yml")
    assert tree.hosts() == {"a": "a.test", "b": "b.test"}
    tree.route("a", "aa.test")
    assert tree.hosts() == {"a": "aa.test", "b": "b.test"}
    (tree.root / "a.yaml").unlink()
    assert tree.hosts() == {"b": "b.test"}
    assert tree.store.snapshot.version == 4
    assert tree.problems() == []


def test_no_change_is_no_snapshot_and_unchanged_objects_stay_the_same_value(tree: Any) -> None:
    tree.route("a", "a.test")
    path = tree.route("b", "b.test")
    assert tree.store.rescan()
    before = tree.store.snapshot
    assert not tree.store.rescan()
    os.utime(path, (1, 1))
    assert not tree.store.rescan()
    assert tree.store.snapshot is before
    tree.route("a", "aa.test")
    assert tree.store.rescan()
    assert tree.store.snapshot.routes["shop", "b"] is before.routes["shop", "b"]
    assert before.routes["shop", "a"].host == "a.test"


def test_a_bad_object_keeps_its_last_good_version_and_harms_no_other(tree: Any) -> None:
    tree.route("a", "a.test")
    tree.route("b", "b.test")
    tree.hosts()
    tree.route("a", "A.test")
    tree.route("b", "bb.test")
    assert tree.hosts() == {"a": "a.test", "b": "bb.test"}
    (problem,) = tree.problems()
    assert problem == (
        "ROOT/a.yaml:4: route shop/a: spec.host: 'A.test' has capital letters: write 'a.test'; "
        "its last good version stays in force"
    )
    tree.route("a", "aaa.test")
    assert tree.hosts() == {"a": "aaa.test", "b": "bb.test"}
    assert tree.problems() == []


def test_an_object_that_never_was_good_is_absent(tree: Any) -> None:
    tree.route("a", "A.test")
    assert tree.hosts() == {}
    assert "stays in force" not in tree.problems()[0]


def test_a_half_written_file_drops_nothing(tree: Any) -> None:
    both = tree.route("a", "a.test").read_text() + "---\n" + tree.route("b", "b.test").read_text()
    (tree.root / "b.yaml").unlink()
    tree.write("a.yaml", both)
    assert tree.hosts() == {"a": "a.test", "b": "b.test"}
    for length in range(len(both)):
        tree.write("a.yaml", both)
        tree.hosts()
        tree.write("a.yaml", both[:length])
        hosts = tree.hosts()
        assert not tree.problems() or hosts == {"a": "a.test", "b": "b.test"}
    tree.write("a.yaml", both.replace("a.test", "new.test") + "---\nx: [\n")
    assert tree.hosts()["a"] == "new.test"
    tree.write("a.yaml", both + "---\nx: [\n")
    tree.hosts()
    tree.write("a.yaml", "x: [\n")
    assert tree.hosts() == {"a": "a.test", "b": "b.test"}
    assert tree.problems()[1] == (
        "ROOT/a.yaml:1: what it held before stays in force until it is right: "
        "route shop/a, route shop/b"
    )
    tree.route("b", "b.test", "a.yaml")
    assert tree.hosts() == {"b": "b.test"}


def test_an_empty_file_is_taken_for_one_that_is_being_written(tree: Any) -> None:
    tree.write("empty.yaml", "")
    tree.route("a", "a.test")
    assert tree.hosts() == {"a": "a.test"}
    assert tree.problems() == []
    tree.write("a.yaml", "")
    assert tree.hosts() == {"a": "a.test"}
    assert "delete it to remove its objects" in tree.problems()[0]
    tree.write("a.yaml", "# all of it commented out\n")
    assert tree.hosts() == {}
    assert tree.problems() == []


def test_a_file_that_is_too_large_keeps_its_objects(
    tree: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tree.route("a", "a.test")
    tree.hosts()
    with path.open("ab") as file:
        file.truncate(caps.FILE_BYTES + 1)
    assert tree.hosts() == {"a": "a.test"}
    assert "split it" in tree.problems()[0]


def test_the_same_object_in_two_places(tree: Any) -> None:
    tree.route("a", "first.test", "1.yaml")
    tree.route("a", "second.test", "2.yaml")
    assert tree.hosts() == {"a": "first.test"}
    (problem,) = tree.problems()
    assert problem == (
        "ROOT/2.yaml:1: route shop/a: is already in ROOT/1.yaml:1, which counts: "
        "remove one of the two"
    )
    tree.route("a", "FIRST.test", "1.yaml")
    assert tree.hosts() == {"a": "first.test"}
    (tree.root / "1.yaml").unlink()
    assert tree.hosts() == {"a": "second.test"}
    assert tree.problems() == []


def test_of_two_places_the_second_counts_where_the_first_never_was_good(tree: Any) -> None:
    tree.route("a", "FIRST.test", "1.yaml")
    tree.route("a", "second.test", "2.yaml")
    assert tree.hosts() == {"a": "second.test"}
    assert len(tree.problems()) == 2


def test_an_object_that_moves_out_of_a_broken_file_is_taken(tree: Any) -> None:
    tree.route("a", "a.test", "1.yaml")
    tree.hosts()
    tree.write("1.yaml", "x: [\n")
    assert tree.hosts() == {"a": "a.test"}
    tree.route("a", "moved.test", "2.yaml")
    assert tree.hosts() == {"a": "moved.test"}


def test_directories_count_in_the_order_given(tmp_path: Path) -> None:
    hosts = []
    for name in ("z", "a"):
        path = tmp_path / name / "x.yaml"
        path.parent.mkdir()
        path.write_text(BAD + f"spec: {{host: {name}.test, to: {{name: s}}}}\n")
    for names in (("z", "a"), ("a", "z")):
        snapshot = load([tmp_path / name for name in names])
        hosts.append(snapshot.routes["shop", "a"].host)
    assert hosts == ["z.test", "a.test"]


def test_what_is_written_twice_within_a_tick_is_seen(tree: Any) -> None:
    path = tree.root / "a.yaml"
    for number in range(20):
        path.write_text(BAD + f"spec: {{host: a{number:02}.test, to: {{name: s}}}}\n")
        assert tree.hosts() == {"a": f"a{number:02}.test"}


def test_a_directory_that_vanishes_keeps_its_objects(tree: Any) -> None:
    tree.route("a", "a.test", "below/a.yaml")
    tree.hosts()
    tree.root.rename(tree.root.parent / "away")
    assert tree.hosts() == {"a": "a.test"}
    (problem,) = tree.problems()
    assert problem == (
        "ROOT:1: is not there: create it, or correct the path; "
        "1 object read from it before stay in force"
    )
    assert not tree.store.rescan()
    (tree.root.parent / "away").rename(tree.root)
    tree.route("a", "back.test", "below/a.yaml")
    assert tree.hosts() == {"a": "back.test"}
    (tree.root / "below/a.yaml").unlink()
    (tree.root / "below").rmdir()
    assert tree.hosts() == {}


def test_a_directory_that_never_was_is_a_problem(tmp_path: Path) -> None:
    (problem,) = load([tmp_path / "nowhere"]).problems
    assert "is not there" in problem.message


def test_held_versions_outlive_the_store(tree: Any) -> None:
    for name in "abc":
        tree.route(name, f"{name}.test")
    tree.hosts()
    assert tree.store.held() is None
    tree.route("a", "A.test")
    tree.write("b.yaml", "x: [\n")
    tree.hosts()
    held = tree.store.held()
    assert held is not None
    assert b"c.test" not in held
    tree.store = Store([tree.root], held)
    assert tree.hosts() == {"a": "a.test", "b": "b.test", "c": "c.test"}
    assert sum("force" in problem for problem in tree.problems()) == 2
    assert tree.store.held() == held
    tree.route("a", "aa.test")
    tree.write("b.yaml", "# nothing\n")
    assert tree.hosts() == {"a": "aa.test", "c": "c.test"}
    assert tree.store.held() is None


def test_held_versions_do_not_bring_back_what_was_deleted(tree: Any) -> None:
    tree.route("a", "a.test")
    tree.hosts()
    tree.write("a.yaml", "x: [\n")
    tree.hosts()
    held = tree.store.held()
    (tree.root / "a.yaml").unlink()
    assert load([tree.root], held).routes == {}
    tree.route("a", "good.test", "other.yaml")
    assert load([tree.root], held).routes["shop", "a"].host == "good.test"


def test_held_versions_of_a_missing_directory(tree: Any) -> None:
    tree.route("a", "a.test")
    tree.hosts()
    tree.root.rename(tree.root.parent / "away")
    tree.hosts()
    tree.store = Store([tree.root], tree.store.held())
    assert tree.hosts() == {"a": "a.test"}


def test_garbage_for_held_is_no_error(tree: Any) -> None:
    tree.route("a", "a.test")
    for held in (b"", b"x", b"[]", b"[[1]]", b'[["Route",[],[]]]', b"[" * 100_000):
        assert list(load([tree.root], held).routes) == [("shop", "a")]
