"""What cluster/README.md shows is run, and its tables are those of the code."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from podway_cluster.kinds import KINDS
from podway_cluster.parse import caps
from podway_cluster.snapshot import ATTRIBUTES, Snapshot

ROOT = Path(__file__).parents[2]
README = (ROOT / "cluster" / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_example_runs() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKS[0]],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.stderr == ""
    assert "route " in result.stdout


async def test_the_second_example_runs(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    body = BLOCKS[1].replace('"manifests"', f'"{tmp_path / "manifests"}"')
    lines = body.replace("    ...\n", "    break\n").splitlines()
    program = "async def example():\n" + "\n".join("    " + line for line in lines)
    scope: dict[str, object] = {"Path": Path}
    exec(program + "\n    return snapshot, state", scope)
    example = scope["example"]
    assert callable(example)
    async with asyncio.timeout(20):
        snapshot, state = await example()
    assert isinstance(snapshot, Snapshot)
    assert state is None


def test_every_kind_is_listed() -> None:
    for kind in KINDS.values():
        rows = [row for row in README.splitlines() if row.startswith("|") and kind.name in row]
        assert any(
            f"| {kind.api_version} |" in row and f"`{ATTRIBUTES[kind.name]}`" in row for row in rows
        ), kind.name
    assert ATTRIBUTES.keys() == {kind.name for kind in KINDS.values()}


def test_every_limit_is_listed() -> None:
    for limit in (
        f"| a file | {caps.FILE_BYTES // 2**20} MiB |",
        f"| files | {caps.FILES:,} |",
        f"| nesting | {caps.DEPTH} |",
        f"| values that aliases stand for, per document | {caps.ALIASED_VALUES:,} |",
        f"| problems that are reported, per file | {caps.PROBLEMS} |",
    ):
        assert limit in README
