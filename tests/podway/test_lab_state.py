from __future__ import annotations

import os
from pathlib import Path

import pytest

from podway.lab import state
from podway.lab.ports import Ports

RUNNING = state.Running(os.getpid(), ("127.0.1.53", 5353), Ports(1, 2, 5353), (Path("/m"),))


def test_a_running_lab_is_found(tmp_path: Path) -> None:
    state.save(tmp_path / "new", RUNNING)
    assert state.load(tmp_path / "new") == RUNNING


def test_a_lab_that_was_killed_is_not(tmp_path: Path) -> None:
    state.save(tmp_path, RUNNING._replace(pid=2**22 + 1))
    assert state.load(tmp_path) is None


def test_neither_is_one_that_has_stopped(tmp_path: Path) -> None:
    state.save(tmp_path, RUNNING)
    state.forget(tmp_path)
    state.forget(tmp_path)
    assert state.load(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": 1, "dns": [], "ports": []}'])
def test_garbage_is_no_lab(tmp_path: Path, text: str) -> None:
    (tmp_path / state.FILE).write_text(text)
    assert state.load(tmp_path) is None


def test_the_usual_manifests_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PODWAY_MANIFESTS", raising=False)
    assert [path.name for path in state.manifests([])] == ["apps", "lab"]


def test_the_environment_can_name_the_manifests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODWAY_MANIFESTS", f"{tmp_path},/")
    assert state.manifests([]) == (tmp_path, Path("/"))
    assert state.manifests(["/tmp"]) == (Path("/tmp"),)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        state.manifests([str(tmp_path / "nowhere")])


def test_the_state_directory_follows_the_users_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert state.default_directory() == Path("/x/podway")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert state.default_directory() == Path("/h/.local/state/podway")
