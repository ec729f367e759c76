from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from podway_cluster import Snapshot
from podway_proxy.process.daemon import CannotStart
from podway_router.authority import authority, passing
from podway_router.workshop import NO_DOMAIN, Workshop, daily


def test_the_certificate_of_a_domain_is_made_once(tmp_path: Path) -> None:
    material = Workshop(str(tmp_path)).material()
    made = material.wildcard("apps.t")
    assert made is not None
    assert made.names == ("*.apps.t", "apps.t")
    assert material.wildcard("apps.t") is made
    assert material.ca == (tmp_path / "ca.pem").read_text()
    nowhere = material.wildcard("")
    assert nowhere is not None
    assert nowhere.names[1] == NO_DOMAIN


def test_without_a_directory_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "BEGIN CERTIFICATE" in Workshop("").material().ca
    assert list(tmp_path.iterdir()) == []


def test_a_ca_that_cannot_be_had_is_an_error_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match="no local CA can be had in"):
        Workshop(str(tmp_path / "file" / "dir")).material()


def test_processes_that_start_together_get_one_ca(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("podway-router")
    command = [str(program), "--print-ca", "--ca-dir", str(tmp_path)]
    together = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    found = {one.communicate(timeout=30)[0] for one in together}
    assert found == {(tmp_path / "ca.pem").read_bytes()}
    assert authority(tmp_path).pem.encode() in found


def test_a_passing_ca_signs_as_a_kept_one_does() -> None:
    chain, key = passing().leaf(["a.t"])
    assert chain.count("BEGIN CERTIFICATE") == 2
    assert "PRIVATE KEY" in key


async def test_snapshots_pass_and_the_last_comes_again_each_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("podway_router.workshop.DAY", 0.01)

    async def two() -> AsyncIterator[Snapshot]:
        yield Snapshot(1)
        yield Snapshot(2)
        await asyncio.sleep(60)

    versions = []
    async for snapshot in daily(two()):
        versions.append(snapshot.version)
        if len(versions) == 4:
            break
    assert versions == [1, 2, 2, 2]
