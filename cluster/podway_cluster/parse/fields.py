"""Typed readers of an object's fields: what is wrong is collected with its path, never raised.

Every reader gives a usable value in any case, so that one pass finds all that is wrong. An absent
field and one that is `null` are the same, as in the API.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .builder import Json, Path
from .durations import seconds

Report = Callable[[Path, str], None]
"""Takes (path, what is wrong and what to do)."""


def spell(path: Path) -> str:
    """Give a path as people write it: `spec.ports[0].port`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif "." in step or "/" in step:
            parts.append(f"[{step!r}]")
        else:
            parts.append(f".{step}" if parts else step)
    return "".join(parts)


def describe(value: Json) -> str:
    """Say what a value is, shortly and without its contents where they may be long."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    return repr(value) if len(value) <= 80 else f"{value[:77]!r}…"


class Fields:
    """One mapping of an object, with the way that leads to it."""

    __slots__ = ("_data", "_report", "path")

    def __init__(self, data: Mapping[str, Json], path: Path, report: Report) -> None:
        self._data = data
        self.path = path
        self._report = report

    def __bool__(self) -> bool:
        """Tell whether there is anything in it."""
        return bool(self._data)

    def has(self, key: str) -> bool:
        """Tell whether the field is there and not null."""
        return self._data.get(key) is not None

    def filled(self, key: str) -> bool:
        """Tell whether the field is there and neither null nor empty."""
        return self._data.get(key) not in (None, "", {}, [])

    def is_zero(self, key: str) -> bool:
        """Tell whether the field is the number 0."""
        return self._data.get(key) == 0 and type(self._data.get(key)) is int

    def problem(self, key: str, message: str) -> None:
        """Report a field (or, with an empty key, the mapping itself)."""
        self._report((*self.path, key) if key else self.path, message)

    def text(
        self, key: str, default: str = "", *, required: bool = False, hidden: bool = False
    ) -> str:
        """Read a text; with `hidden` no problem shows its value (a private key)."""
        value = self._data.get(key)
        if type(value) is str:
            if required and not value:
                self.problem(key, "is empty: fill it in")
            return value
        if value is not None and hidden:
            self.problem(key, "is not a text: put it in quotes or in a block (|)")
        elif value is not None:
            self._wrong(key, value, "a text", quote=True)
        elif required:
            self.problem(key, "is missing: add it")
        return default

    def choice(
        self,
        key: str,
        allowed: Collection[str],
        default: str,
        *,
        required: bool = False,
        fold: bool = False,
    ) -> str:
        """Read a text that is one of a few; an empty one stands for the default.

        With `fold` capital letters count as small ones.
        """
        value = self.text(key, default, required=required) or default
        value = value.lower() if fold else value
        if value not in allowed and value != default:
            self.problem(key, f"{describe(value)} is not known: use {_either(allowed)}")
            return default
        return sys.intern(value)

    def number(self, key: str, default: int, low: int, high: int, *, required: bool = False) -> int:
        """Read a whole number between `low` and `high`, both included."""
        value = self._data.get(key)
        if value is None:
            if required:
                self.problem(key, f"is missing: add a whole number from {low} to {high}")
            return default
        if type(value) is not int:
            self._wrong(key, value, f"a whole number from {low} to {high}")
            return default
        if not low <= value <= high:
            self.problem(key, f"{_shown(value)} is out of range: use {low} to {high}")
            return default
        return value

    def truth(self, key: str, default: bool = False) -> bool:
        """Read true or false."""
        value = self._data.get(key)
        if type(value) is bool:
            return value
        if value is not None:
            self._wrong(key, value, "true or false")
        return default

    def duration(self, key: str, default: float) -> float:
        """Read a duration as Go writes it; give seconds."""
        text = self.text(key)
        if not text:
            return default
        value = seconds(text)
        if value is None or value < 0:
            self.problem(key, f"{describe(text)} is no duration: write it like 30s, 1.5h or 2h45m")
            return default
        return value

    def port_or_name(self, key: str) -> int | str | None:
        """Read a port given by number (1-65535) or by name; None where there is none."""
        value = self._data.get(key)
        if value is None or (type(value) is str and value):
            return value
        if type(value) is int:
            return self.number(key, 0, 1, 65_535) or None
        self.problem(key, f"is {describe(value)}: use a port number or a port's name")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of texts."""
        return tuple(
            value
            for at, value in enumerate(self._list(key))
            if self._is(value, str, (*self.path, key, at))
        )

    def mapping(self, key: str, *, hidden: bool = False) -> dict[str, str]:
        """Read a mapping of texts to texts (labels, annotations, data).

        With `hidden` no problem shows a value (a Secret's).
        """
        found: dict[str, str] = {}
        for name, value in self._mapping(key).items():
            if type(value) is str:
                found[name] = value
            elif value is None:
                found[name] = ""
            else:
                says = "is not a text" if hidden else f"is {describe(value)}"
                self._report((*self.path, key, name), f"{says}, and must be one: put it in quotes")
        return found

    def child(self, key: str) -> Fields:
        """Read a mapping; an empty one where there is none."""
        return Fields(self._mapping(key), (*self.path, key), self._report)

    def children(self, key: str) -> list[Fields]:
        """Read a list of mappings."""
        here = (*self.path, key)
        return [
            Fields(value, (*here, at), self._report)
            for at, value in enumerate(self._list(key))
            if self._is(value, dict, (*here, at))
        ]

    def _mapping(self, key: str) -> Mapping[str, Json]:
        value = self._data.get(key)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.problem(key, f"is {describe(value)}, and must be a mapping")
        return {}

    def _list(self, key: str) -> list[Json]:
        value = self._data.get(key)
        if isinstance(value, list):
            return value
        if value is not None:
            self.problem(key, f"is {describe(value)}, and must be a list")
        return []

    def _is(self, value: Json, wanted: type[Any], path: Path) -> bool:
        if type(value) is wanted:
            return True
        says = "is empty (null)" if value is None else f"is {describe(value)}"
        must = "a mapping" if wanted is dict else "a text: put it in quotes"
        self._report(path, f"{says}, and must be {must}")
        return False

    def _wrong(self, key: str, value: Json, wanted: str, *, quote: bool = False) -> None:
        hint = ": put it in quotes" if quote and not isinstance(value, dict | list) else ""
        self.problem(key, f"is {describe(value)}, and must be {wanted}{hint}")


def _either(allowed: Collection[str]) -> str:
    *others, last = allowed
    return f"{', '.join(others)} or {last}" if others else last


def _shown(value: int) -> str:
    return str(value) if abs(value) < 10**12 else "the number"
