"""The tables: as text, as Markdown, and between the marks in README.md. Pure but for `write`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import charts
from bench.summary import OURS, Json

MARKS = re.compile(r"(<!-- bench: begin[^>]*-->\n).*?(<!-- bench: end -->)", re.DOTALL)
"""What README.md has around the table that `make bench` replaces."""
DIGITS = 3
Cell = Callable[[Json, str], str]


def write(result: Json, folder: Path, readme: Path | None) -> None:
    """Write `latest.json`, `latest.txt` and the charts; replace the table in the README."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "latest.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "latest.txt").write_text(text(result) + "\n")
    for name, picture in charts.all_of(result).items():
        (folder / name).write_text(picture)
    if readme is not None and readme.exists():
        readme.write_text(inserted(readme.read_text(), markdown(result)))


def inserted(page: str, table: str) -> str:
    """Give the page with the table between the marks; without marks it stays as it is."""
    return MARKS.sub(lambda marks: f"{marks[1]}\n{table}\n\n{marks[2]}", page, count=1)


def text(result: Json) -> str:
    """Lay out all tables for a terminal."""
    peers = list(result["versions"])
    width = max(len(peer) for peer in peers) + 2
    parts = [caption(result)]
    for title, cell in TABLES.items():
        parts.append(f"\n{title}\n{'':50}" + "".join(f"{peer:>{width}}" for peer in peers))
        for row in result["rows"]:
            cells = [cell(row, peer) for peer in peers]
            if any(cells):
                name = _title(row) if cell in UNITS else row["title"]
                parts.append(f"{name:50}" + "".join(f"{one:>{width}}" for one in cells))
    return "\n".join(parts)


def markdown(result: Json) -> str:
    """Give the main figures with their ratios, for the README."""
    peers = list(result["versions"])
    lines = [_line(["", *peers]), _line(["---", *("--:" for _ in peers)])]
    lines += [_line([_title(row), *(_both(row, peer) for peer in peers)]) for row in result["rows"]]
    return "\n".join([*lines, "", caption(result)])


def caption(result: Json) -> str:
    """Say when, where and what was measured."""
    machine, scale = result["machine"], result["scale"]
    versions = ", ".join(f"{peer} {version}" for peer, version in result["versions"].items())
    return (
        f"{result['date']}, {machine['processor']}, {machine['cores']} cores, {machine['kernel']}, "
        f"every proxy as {machine['user']} with one worker or thread; "
        f"medians of {scale['rounds']} rounds, less is better, in brackets podway's part of it. "
        f"{versions}."
    )


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _title(row: Json) -> str:
    return f"{row['title']}, {row['unit']}"


def _both(row: Json, peer: str) -> str:
    figure, ratio = _main(row, peer), _ratio(row, peer)
    return f"{figure} ({ratio})" if ratio else figure or "-"


def _field(name: str) -> Cell:
    def cell(row: Json, peer: str) -> str:
        value = row["medians"].get(peer, {}).get(name)
        return "" if value is None else number(value)

    return cell


def _main(row: Json, peer: str) -> str:
    return _field(row["main"])(row, peer)


def _ratio(row: Json, peer: str) -> str:
    ratio = row["ratios"].get(peer)
    return "" if ratio is None else f"{ratio:.2f}"


def _goal(row: Json, peer: str) -> str:
    goal = row["goals"].get(peer)
    if peer == OURS and row["goal"] is not None:
        reached = row["medians"][OURS][row["main"]] <= row["goal"]
        return f"{row['goal']:g} {'yes' if reached else 'NO'}"
    if goal is None:
        return ""
    return f"{goal:.2f} {'yes' if row['ratios'][peer] <= goal else 'NO'}"


def number(value: float) -> str:
    """Give three digits, and never an exponent."""
    return f"{value:.0f}" if value >= 10 ** (DIGITS - 1) else f"{value:.{DIGITS}g}"


_user, _system = _field("user"), _field("system")
UNITS = (_main, _user, _system)
"""The cells that are in the row's own unit."""
TABLES: dict[str, Cell] = {
    "processor time or memory per unit of work": _main,
    "of it in user space": _user,
    "of it in the kernel": _system,
    "podway's part of the peer's figure": _ratio,
    "goal for that part, and whether it is reached": _goal,
    "units of work per second (GB, requests)": _field("rate"),
    "p50, ms": _field("p50"),
    "p99, ms": _field("p99"),
    "p50 without the idle connections, ms": _field("p50_alone"),
    "p99 without the idle connections, ms": _field("p99_alone"),
    "memory before the idle connections, MiB": _field("base_mib"),
}
