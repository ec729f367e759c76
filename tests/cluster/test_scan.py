from __future__ import annotations

import os
from pathlib import Path

import pytest

from podway_cluster import scan as scanning
from podway_cluster.scan import scan


def found(*roots: Path) -> list[tuple[int, str]]:
    return [(each.place.directory, each.place.path) for each in scan(roots).files]


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_which_files(tmp_path: Path) -> None:
    touch(tmp_path, "b.yaml", "a/z.yml", "a/b/c.JSON", "a.yaml")
    touch(tmp_path, ".hidden.yaml", ".git/x.yaml", "x.yaml~", "#x.yaml#", "x.yaml.swp", "x.txt")
    touch(tmp_path, "kustomization.yaml", ".#x.yaml")
    os.mkfifo(tmp_path / "fifo.yaml")
    assert found(tmp_path) == [(0, "a.yaml"), (0, "a/b/c.JSON"), (0, "a/z.yml"), (0, "b.yaml")]


def test_a_single_file_may_be_given(tmp_path: Path) -> None:
    touch(tmp_path, "a.yaml", "b.yaml")
    assert found(tmp_path / "b.yaml", tmp_path) == [(0, "b.yaml"), (1, "a.yaml"), (1, "b.yaml")]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.yaml", "elsewhere/b.yaml")
    (tmp_path / "real" / "again").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "there").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "real" / "linked.yaml").symlink_to(tmp_path / "elsewhere" / "b.yaml")
    assert found(tmp_path / "real") == [(0, "a.yaml"), (0, "linked.yaml"), (0, "there/b.yaml")]


def test_dangling_links_and_missing_directories_are_faults(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").symlink_to(tmp_path / "nowhere")
    faults = scan([tmp_path, tmp_path / "missing"]).faults
    assert [(fault.place.directory, fault.place.path) for fault in faults] == [
        (0, "x.yaml"),
        (1, ""),
    ]
    assert all("is not there" in fault.message for fault in faults)


def test_names_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text("")
    touch(tmp_path, "ü.yaml")
    assert found(tmp_path) == [(0, "ü.yaml")]


def test_there_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "FILES", 2)
    touch(tmp_path, "a.yaml", "b.yaml", "c.yaml")
    result = scan([tmp_path])
    assert [each.place.path for each in result.files] == ["a.yaml", "b.yaml"]
    assert "more than 2 files" in result.faults[0].message
