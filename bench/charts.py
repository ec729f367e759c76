"""Bar charts as SVG, written by hand: a panel per row, a bar per peer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from bench.summary import OURS, Json

WIDTH, BAR, GAP, LEFT, RIGHT, HEAD = 720, 16, 6, 130, 90, 44
COLOURS = {"user": "#7aa6c2", "system": "#c4d7e2", "ours-user": "#c2452d", "ours-system": "#eba795"}
STYLE = (
    "<style>text{font:12px sans-serif;fill:#222}.title{font-weight:bold}.note{fill:#666}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.note{fill:#999}}</style>"
)


class Bar(NamedTuple):
    """One peer's value, in parts that add up to it: (colour, size)."""

    label: str
    shown: str
    parts: tuple[tuple[str, float], ...]

    @property
    def size(self) -> float:
        """The whole value."""
        return sum(size for _, size in self.parts)


def all_of(result: Json) -> dict[str, str]:
    """Give the charts by file name: the main figures, and the p99 latencies."""
    note = "less is better; dark: user space, light: kernel"
    return {
        "figures.svg": chart([(_heading(row), _figures(row)) for row in result["rows"]], note),
        "p99.svg": chart(
            [(f"{row['title']}, p99 in ms", _field(row, "p99")) for row in _with(result, "p99")],
            "under the load that saturates the proxy; less is better",
        ),
    }


def chart(panels: Sequence[tuple[str, Sequence[Bar]]], note: str) -> str:
    """Draw panels below each other, each scaled to its longest bar."""
    height = 24
    drawn = []
    for title, bars in panels:
        drawn.append(_panel(title, bars, height))
        height += HEAD + len(bars) * (BAR + GAP)
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    note = f'<text class="note" x="8" y="16">{escape(note)}</text>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{STYLE}{note}{"".join(drawn)}</svg>\n'


def _panel(title: str, bars: Sequence[Bar], top: int) -> str:
    most = max((bar.size for bar in bars), default=1.0) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / most
    parts = [f'<text class="title" x="8" y="{top + 28}">{escape(title)}</text>']
    for index, bar in enumerate(bars):
        parts.append(_bar(bar, top + HEAD - 8 + index * (BAR + GAP), scale))
    return "".join(parts)


def _bar(bar: Bar, top: int, scale: float) -> str:
    base = top + BAR - 4
    drawn = [f'<text x="{LEFT - 8}" y="{base}" text-anchor="end">{escape(bar.label)}</text>']
    left = float(LEFT)
    for colour, size in bar.parts:
        width = size * scale
        shape = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}"'
        drawn.append(f'<rect {shape} fill="{colour}"/>')
        left += width
    drawn.append(f'<text x="{left + 6:.1f}" y="{base}">{escape(bar.shown)}</text>')
    return "".join(drawn)


def _heading(row: Json) -> str:
    return f"{row['title']}, {row['unit']}"


def _with(result: Json, field: str) -> list[Json]:
    return [
        row
        for row in result["rows"]
        if all(field in medians for medians in row["medians"].values())
    ]


def _figures(row: Json) -> list[Bar]:
    """Give the main figure of each peer, split into user space and kernel where it is time."""
    bars = []
    for peer, medians in row["medians"].items():
        fields = ("user", "system") if row["main"] == "cpu" else (row["main"],)
        bars.append(_one(peer, medians[row["main"]], [medians[field] for field in fields]))
    return bars


def _field(row: Json, field: str) -> list[Bar]:
    return [_one(peer, each[field], [each[field]]) for peer, each in row["medians"].items()]


def _one(peer: str, value: float, sizes: Sequence[float]) -> Bar:
    prefix = "ours-" if peer == OURS else ""
    colours = (COLOURS[f"{prefix}user"], COLOURS[f"{prefix}system"])
    return Bar(peer, f"{value:.3g}", tuple(zip(colours, sizes, strict=False)))
