"""The fenced blocks of the READMEs.

A shell block that is to be run begins with three backticks and `sh run`; every `yaml` block is
loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One fenced block."""

    file: str
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        """Give `file:line`."""
        return f"{self.file}:{self.line}"


def blocks(info: str) -> Iterator[Block]:
    """Give the blocks of all READMEs that are marked `info`."""
    for file in sorted((*ROOT.glob("*.md"), *ROOT.glob("*/README.md"))):
        content = file.read_text()
        for found in _BLOCK.finditer(content):
            if found["info"].strip() == info:
                line = content.count("\n", 0, found.start()) + 1
                yield Block(str(file.relative_to(ROOT)), line, info, found["text"])
