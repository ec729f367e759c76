"""Read a label selector (meta/v1 LabelSelector)."""

from __future__ import annotations

from ..model.meta import LabelSelector, Requirement
from ..parse.fields import Fields

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def label_selector(fields: Fields, key: str) -> LabelSelector | None:
    """Read a selector; None where there is none (which selects everything)."""
    if not fields.has(key):
        return None
    selector = fields.child(key)
    expressions = tuple(_requirement(each) for each in selector.children("matchExpressions"))
    return LabelSelector(selector.mapping("matchLabels"), expressions)


def _requirement(entry: Fields) -> Requirement:
    operator = entry.choice("operator", _OPERATORS, "", required=True)
    values = entry.texts("values")
    if operator in ("In", "NotIn") and not values:
        entry.problem("values", f"is empty: {operator} needs at least one value")
    elif operator in ("Exists", "DoesNotExist") and values:
        entry.problem("values", f"can't work with {operator}: remove it")
    return Requirement(entry.text("key", required=True), operator, values)
