"""PyYAML's event stream, and nothing else of PyYAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import Event

_LOADER: Any = vars(yaml.cyaml)["CParser"] if yaml.__with_libyaml__ else yaml.SafeLoader
"""libyaml's parser where PyYAML was built with it, else the one in Python (12 times slower)."""


class MalformedError(ValueError):
    """A text that is not YAML (or JSON), or that goes over a cap."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line
        """From 0, in the text."""


def events_of(text: str) -> Iterator[Event]:
    """Give the events of a text; `MalformedError` at the place where it stops being YAML."""
    loader = None
    try:
        loader = _LOADER(text)
        yield from iter(loader.get_event, None)
    except yaml.YAMLError as error:
        raise _malformed(text, error) from error
    finally:
        if loader is not None:
            loader.dispose()


def _malformed(text: str, error: yaml.YAMLError) -> MalformedError:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = 0 if mark is None else mark.line
        says = ", ".join(part for part in (error.problem, error.context) if part)
        return MalformedError((says or "is not YAML") + _advice(text, line), line)
    position = getattr(error, "position", 0)
    reason = getattr(error, "reason", "is not YAML")
    return MalformedError(str(reason), text.encode()[: max(0, position)].count(b"\n"))


def _advice(text: str, line: int) -> str:
    """Say what to do about the mistake that is made most and told least clearly."""
    there = "".join(text.split("\n", line + 1)[line : line + 1])
    return ": YAML is indented with spaces, not with tabs" if "\t" in there else ""
