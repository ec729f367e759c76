"""`podway get`: the objects as the routers see them, as a table, JSON or YAML."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from podway.tables import KINDS, WARNINGS, WHY, Row
from podway_cluster import load

_WIDTH = 10_000
"""Columns of the widest table."""


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
    """Print a table and, below it, why something is missing and what is wrong.

    Nothing is cut off or wrapped, terminal or not: a name in two halves can't be copied.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, width=_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    columns = [column for column in rows[0] if column not in (WHY, WARNINGS)]
    for column in columns:
        table.add_column(column.upper(), no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(column, row[column]) for column in columns))
    with console.capture() as captured:
        console.print(table)
        for row in rows:
            name = row.get("name") or row.get("service")
            for note in filter(None, (row.get(WHY), *row.get(WARNINGS, ()))):
                console.print(f"{row['namespace']}/{name}: {note}", style="yellow", markup=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _cell(column: str, value: Any) -> Any:
    from rich.text import Text

    if column == "endpoints" and isinstance(value, list):
        value = len(value)
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    wrong = text == "no" or (column == "endpoints" and text == "0")
    return Text(text, style="yellow" if wrong else "")
