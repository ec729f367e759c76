"""The plumbing of the benchmark with few Routes: no time is asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live
ROOT = Path(__file__).resolve().parents[2]


def test_a_row_for_each_count() -> None:
    options = ["--routes", "1,20", "--certificates", "3", "--changes", "2"]
    found = subprocess.run(
        [sys.executable, "-m", "bench.table_bench", *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    rows = found.stdout.splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["1", "20", "3, a certificate each"]
