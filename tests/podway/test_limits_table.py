from __future__ import annotations

import ast
import inspect
from pathlib import Path

from podway_proxy import limits

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- limits: begin -->\n", "<!-- limits: end -->"


def table() -> str:
    """The table as the README must have it: name, default and meaning of every limit."""
    (definition,) = (
        node
        for node in ast.parse(inspect.getsource(limits)).body
        if isinstance(node, ast.ClassDef) and node.name == "Limits"
    )
    rows = ["| Limit | Default | Meaning, and where it comes from |", "|---|---|---|"]
    for field, text in zip(definition.body[1::2], definition.body[2::2], strict=True):
        assert isinstance(field, ast.AnnAssign)
        name = field.target.id
        meaning = " ".join(text.value.value.split()).removesuffix(".")
        rows.append(f"| `{name}` | {shown(name, getattr(limits.DEFAULT, name))} | {meaning} |")
    return "\n".join(rows) + "\n"


def shown(name: str, value: float) -> str:
    if isinstance(value, float):
        return f"{value:g} s"
    unit = " bytes" if name.endswith("_bytes") else ""
    return f"{value:,}{unit}"


def test_the_readme_has_the_table_of_limits() -> None:
    inside = README.read_text().partition(BEGIN)[2].partition(END)[0]
    assert inside == table(), f"the README's table of limits should be:\n{table()}"
