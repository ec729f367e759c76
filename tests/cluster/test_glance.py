from __future__ import annotations

import os
from pathlib import Path

import pytest

from podway_cluster.glance import glance
from podway_cluster.objects import Place
from podway_cluster.scan import Found, signature_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text("a")
    return path


def look(file: Path, *paths: Path) -> list[Found] | None:
    """Look where only `file` is known."""
    directory = file.parent
    known = {Place(0, file.name, str(file))}
    return glance([str(path) for path in paths], [directory], known, {str(directory)})


def test_a_known_file_is_given_as_it_is_now(file: Path) -> None:
    file.write_text("longer")
    assert look(file, file) == [Found(Place(0, "a.yaml", str(file)), signature_of(os.stat(file)))]


def test_editors_files_are_nothing(file: Path, tmp_path: Path) -> None:
    beside = tmp_path / ".a.yaml.swp"
    beside.write_text("")
    assert look(file, beside, tmp_path / "4913") == []


def test_what_only_a_scan_can_tell(file: Path, tmp_path: Path) -> None:
    new, directory, link = tmp_path / "b.yaml", tmp_path / "d", tmp_path / "x"
    new.write_text("b")
    directory.mkdir()
    link.symlink_to("a.yaml")
    for path in (new, directory, link, tmp_path):
        assert look(file, file, path) is None
    file.unlink()
    assert look(file, file) is None


def test_a_directory_given_in_relative_terms(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent.parent)
    directory = Path(file.parent.name)
    known = {Place(0, "a.yaml", str(directory / "a.yaml"))}
    assert glance([str(file)], [directory], known, set())
