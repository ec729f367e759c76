"""A directory source on a real file system, with the kernel's own events."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from podway_cluster import source, watch
from podway_cluster.snapshot import Snapshot
from podway_cluster.source import DirectorySource

pytestmark = pytest.mark.live

_PATIENCE = 20.0
"""Seconds until something that must happen counts as not happening."""


def route(name: str, host: str) -> str:
    return (
        "apiVersion: route.openshift.io/v1\nkind: Route\n"
        f"metadata: {{name: {name}}}\nspec: {{host: {host}, to: {{name: s}}}}\n"
    )


class Follower:
    """Keeps the newest snapshot, and counts them."""

    def __init__(self, source: DirectorySource) -> None:
        self.source = source
        self.seen: list[Snapshot] = []
        self._news = asyncio.Condition()

    async def follow(self) -> None:
        async for snapshot in self.source.snapshots():
            async with self._news:
                self.seen.append(snapshot)
                self._news.notify_all()

    @property
    def hosts(self) -> dict[str, str]:
        return {name: each.host for (_, name), each in self.seen[-1].routes.items()}

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE), self._news:
            await self._news.wait_for(lambda: bool(self.seen) and wanted())

    async def until_hosts(self, wanted: dict[str, str]) -> None:
        await self.until(lambda: self.hosts == wanted)


@asynccontextmanager
async def following(
    *directories: Path, held: bytes | None = None, note: Callable[[str], None] = print
) -> AsyncIterator[Follower]:
    follower = Follower(DirectorySource(directories, held, note))
    task = asyncio.create_task(follower.follow(), name="follower")
    try:
        await follower.until(lambda: True)
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin to watch at once: only the start of a lab is in a hurry for something else."""
    monkeypatch.setattr(watch, "_AFTER_START", 0.0)


async def test_changes_come_into_force(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(route("a", "a.test"))
    async with following(tmp_path) as follower:
        assert follower.hosts == {"a": "a.test"}
        (tmp_path / "b.yaml").write_text(route("b", "b.test"))
        await follower.until(lambda: follower.hosts == {"a": "a.test", "b": "b.test"})
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "c.yaml").write_text(route("c", "c.test"))
        await follower.until(lambda: "c" in follower.hosts)
        (tmp_path / "new" / "c.yaml").write_text(route("c", "cc.test"))
        await follower.until(lambda: follower.hosts["c"] == "cc.test")
        temporary = tmp_path / ".a.yaml.swp"
        temporary.write_text(route("a", "renamed.test"))
        temporary.rename(tmp_path / "a.yaml")
        await follower.until(lambda: follower.hosts["a"] == "renamed.test")
        shutil.rmtree(tmp_path / "new")
        (tmp_path / "b.yaml").unlink()
        await follower.until(lambda: follower.hosts == {"a": "renamed.test"})
        versions = [snapshot.version for snapshot in follower.seen]
        assert versions == sorted(set(versions))


async def test_a_change_before_the_watching_begins_is_not_lost(tmp_path: Path) -> None:
    snapshots = DirectorySource([tmp_path]).snapshots()
    first = await anext(snapshots)
    assert first.routes == {}
    (tmp_path / "a.yaml").write_text(route("a", "a.test"))
    async with asyncio.timeout(_PATIENCE):
        second = await anext(snapshots)
    assert [name for _, name in second.routes] == ["a"]
    await snapshots.aclose()


async def test_a_burst_is_few_snapshots(tmp_path: Path) -> None:
    async with following(tmp_path) as follower:
        (tmp_path / "first.yaml").write_text(route("first", "first.test"))
        await follower.until(lambda: "first" in follower.hosts)
        before = len(follower.seen)
        for number in range(300):
            (tmp_path / f"r{number}.yaml").write_text(route(f"r{number}", f"r{number}.test"))
        await follower.until(lambda: len(follower.hosts) == 301)
        assert len(follower.seen) - before < 30
        assert follower.seen[-1].problems == ()


async def test_bad_and_half_written_files_harm_nothing(tmp_path: Path) -> None:
    text = route("a", "a.test") + "---\n" + route("b", "b.test")
    (tmp_path / "ab.yaml").write_text(text)
    async with following(tmp_path) as follower:
        good = {"a": "a.test", "b": "b.test"}
        (tmp_path / "ab.yaml").write_text(text[: len(text) // 2])
        await follower.until(lambda: bool(follower.seen[-1].problems))
        assert follower.hosts == good
        held = follower.source.held()
        async with following(tmp_path, held=held) as successor:
            assert successor.hosts == good
        (tmp_path / "ab.yaml").write_text(text.replace("b.test", "bb.test"))
        await follower.until(lambda: follower.hosts == good | {"b": "bb.test"})
        assert follower.seen[-1].problems == ()


async def test_a_writer_that_empties_the_file_first_never_makes_objects_vanish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is put off for up to 30 ms before it writes, and between the two documents.

    The patience is that of a machine so busy that it stays away for longer.
    """
    monkeypatch.setattr(source, "_PATIENCE", 5.0)
    path, rounds, random = tmp_path / "ab.yaml", 200, Random(4)
    first = route("a", "a0.test")
    path.write_text(first + "---\n" + route("b", "b0.test"))
    async with following(tmp_path) as follower:
        for number in range(1, rounds + 1):
            first, second = route("a", f"a{number}.test"), "---\n" + route("b", f"b{number}.test")
            parts = random.choice(((first, second), (first + second[:-20], second[-20:])))
            with path.open("w") as file:
                await asyncio.sleep(random.uniform(0, 0.03))
                file.write(parts[0])
                file.flush()
                await asyncio.sleep(random.uniform(0, 0.03))
                file.write(parts[1])
        await follower.until_hosts({"a": f"a{rounds}.test", "b": f"b{rounds}.test"})
        seen = [{route.host[1:] for route in each.routes.values()} for each in follower.seen]
        assert all(len(each.routes) == 2 for each in follower.seen)
        assert all(len(numbers) == 1 for numbers in seen)
        assert all(each.problems == () for each in follower.seen)


async def test_a_file_that_stays_empty_or_half_is_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ab.yaml"
    path.write_text(route("a", "a.test") + "---\n" + route("b", "b.test"))
    async with following(tmp_path) as follower:
        path.write_text("")
        await follower.until(lambda: bool(follower.seen[-1].problems))
        assert "delete it to remove its objects" in follower.seen[-1].problems[0].message
        assert follower.hosts == {"a": "a.test", "b": "b.test"}
        path.write_text(route("a", "a.test"))
        await follower.until_hosts({"a": "a.test"})
        path.write_text("# nothing any more\n")
        await follower.until_hosts({})
        assert follower.seen[-1].problems == ()


async def test_a_config_map_volume(tmp_path: Path) -> None:
    """Kubernetes swaps the link `..data`; the files are links through it."""

    def publish(version: str, *names: str) -> None:
        directory = volume / f"..{version}"
        directory.mkdir()
        for name in names:
            (directory / name).write_text(route(name.removesuffix(".yaml"), f"{version}.test"))
            if not (volume / name).is_symlink():
                (volume / name).symlink_to(f"..data/{name}")
        (volume / "..data_tmp").symlink_to(f"..{version}")
        (volume / "..data_tmp").rename(volume / "..data")

    volume = tmp_path / "volume"
    volume.mkdir()
    publish("v1", "a.yaml", "b.yaml")
    async with following(volume) as follower:
        assert follower.hosts == {"a": "v1.test", "b": "v1.test"}
        for version in ("v2", "v3", "v4"):
            publish(version, "a.yaml", "b.yaml")
            wanted = {"a": f"{version}.test", "b": f"{version}.test"}
            await follower.until_hosts(wanted)
        mixed = [{route.host for route in each.routes.values()} for each in follower.seen]
        assert all(len(hosts) == 1 for hosts in mixed)


async def test_a_given_directory_that_is_a_swapped_link(tmp_path: Path) -> None:
    for version in ("1", "2", "3"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "a.yaml").write_text(route("a", f"v{version}.test"))
    current = tmp_path / "current"
    current.symlink_to("1")
    async with following(current) as follower:
        for version in ("2", "3"):
            (tmp_path / "next").symlink_to(version)
            (tmp_path / "next").rename(current)
            wanted = {"a": f"v{version}.test"}
            await follower.until_hosts(wanted)
        (tmp_path / "3" / "a.yaml").write_text(route("a", "written.test"))
        await follower.until(lambda: follower.hosts == {"a": "written.test"})


async def test_a_directory_that_is_removed_and_comes_back(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.yaml").write_text(route("a", "a.test"))
    async with following(root) as follower:
        root.rename(tmp_path / "away")
        await follower.until(lambda: bool(follower.seen[-1].problems))
        assert follower.hosts == {"a": "a.test"}
        root.mkdir()
        (root / "a.yaml").write_text(route("a", "back.test"))
        await follower.until(lambda: follower.hosts == {"a": "back.test"})
        assert follower.seen[-1].problems == ()
        (root / "a.yaml").write_text(route("a", "again.test"))
        await follower.until(lambda: follower.hosts == {"a": "again.test"})


async def test_a_directory_that_appears_later(tmp_path: Path) -> None:
    root = tmp_path / "later"
    async with following(root) as follower:
        assert "is not there" in follower.seen[-1].problems[0].message
        root.mkdir()
        (root / "a.yaml").write_text(route("a", "a.test"))
        await follower.until(lambda: follower.hosts == {"a": "a.test"})


async def test_without_watches_it_looks_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(paths: object) -> None:
        raise OSError(28, "No space left on device")  # what inotify says when it is out of watches

    monkeypatch.setattr(watch, "open_notify", refuse)
    monkeypatch.setattr(watch, "_HEARTBEAT_MS", 20)
    notes: list[str] = []
    async with following(tmp_path, note=notes.append) as follower:
        for number in range(3):
            (tmp_path / "a.yaml").write_text(route("a", f"a{number}.test"))
            wanted = {"a": f"a{number}.test"}
            await follower.until_hosts(wanted)
    (note,) = notes
    assert "fs.inotify.max_user_watches" in note


async def test_an_error_of_ours_is_raised_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(paths: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(watch, "open_notify", fail)
    snapshots = DirectorySource([tmp_path]).snapshots()
    await anext(snapshots)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(_PATIENCE):
            await anext(snapshots)


async def test_a_slow_reader_is_given_the_newest(tmp_path: Path) -> None:
    snapshots = DirectorySource([tmp_path]).snapshots()
    await anext(snapshots)
    (tmp_path / "a.yaml").write_text(route("a", "a0.test"))
    async with asyncio.timeout(_PATIENCE):
        newest = await anext(snapshots)
        for number in range(1, 5):
            (tmp_path / "a.yaml").write_text(route("a", f"a{number}.test"))
        while newest.routes["default", "a"].host != "a4.test":
            newest = await anext(snapshots)
    assert newest.version <= 6
    await snapshots.aclose()


def test_the_first_snapshot_needs_neither_watchfiles_nor_logging(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from podway_cluster.source import DirectorySource\n"
        "async def first():\n"
        "    await anext(DirectorySource([Path(sys.argv[1])]).snapshots())\n"
        "    print([name for name in ('watchfiles', 'anyio', 'cryptography', 'rich')"
        " if name in sys.modules])\n"
        "asyncio.run(first())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, os.fspath(tmp_path)],
        capture_output=True, text=True, timeout=_PATIENCE, check=True,
    )  # fmt: skip
    assert result.stdout == "[]\n"
