"""No function and no file outgrows what one can hold in mind."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES, MOST_OF_A_FUNCTION = 400, 50


def files() -> list[str]:
    """Those that git tracks; all where there is no git (an unpacked archive)."""
    run = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    return run.stdout.split() or [str(path) for path in ROOT.glob("*/podway_*/**/*.py")]


def too_large(file: str) -> Iterator[str]:
    text = (ROOT / file).read_text()
    if text.count("\n") > MOST_LINES:
        yield f"{file}: {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_OF_A_FUNCTION:
                yield f"{file}:{node.lineno}: {node.name} has {lines} lines"


def test_sizes() -> None:
    assert [one for file in files() for one in too_large(file)] == []
