"""`podway get`: the objects as the routers see them, as a table, JSON or YAML."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from podway.tables import KINDS, Row
from podway_cluster import load

_PIPE_WIDTH = 100_000
"""Columns where nobody looks on: nothing is wrapped, each row is one line for grep and awk."""


class Options(NamedTuple):
    """The command line of `podway get`."""

    kind: str
    manifests: Sequence[Path]
    namespace: str = ""
    output: str = "table"


def get(options: Options) -> int:
    """Print what was asked for; 0 always (an empty answer is an answer)."""
    rows = [
        row
        for row in KINDS[options.kind](load(options.manifests))
        if options.namespace in ("", row["namespace"])
    ]
    if options.output == "json":
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    elif options.output == "yaml":
        import yaml

        sys.stdout.write(yaml.safe_dump(rows, sort_keys=False))
    elif rows:
        show(rows)
    else:
        where = f" in namespace {options.namespace}" if options.namespace else ""
        sys.stderr.write(f"no {options.kind}{where}\n")
    return 0


def show(rows: Sequence[Row]) -> None:
    """Print a table, fitted to the terminal; one line a row where there is none."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in rows[0]:
        # A name that is cut off can't be used; long words wrap instead.
        table.add_column(column.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(column, value) for column, value in row.items()))
    console.print(table)


def _cell(column: str, value: Any) -> Any:
    from rich.text import Text

    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    wrong = (column == "ready" and text == "no") or text.startswith(("no: ", "0: ", "none: "))
    return Text(text, style="yellow" if wrong else "")
