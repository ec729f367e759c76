"""JSON documents: strict, with duplicate keys refused as in YAML."""

from __future__ import annotations

from typing import NoReturn

from .builder import Json
from .stream import MalformedError


def read_json(text: str) -> tuple[Json, tuple[str, ...]]:
    """Give the document and the keys that it holds twice; `MalformedError` where it is not JSON."""
    import json  # late: most directories hold YAML only

    twice: list[str] = []

    def pairs(found: list[tuple[str, Json]]) -> dict[str, Json]:
        made = dict(found)
        if len(made) != len(found):
            seen: set[str] = set()
            for key, _ in found:
                twice.extend([key] if key in seen else [])
                seen.add(key)
        return made

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise MalformedError(f"is not JSON: {error.msg}", error.lineno - 1) from error
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"is not usable JSON: {error}", 0) from error
    if "\\u" in text:
        _refuse_lone_surrogates(data)
    return data, tuple(twice)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _refuse_lone_surrogates(data: Json) -> None:
    import json

    try:
        json.dumps(data, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise MalformedError("holds a \\u escape that is half a character", 0) from error
