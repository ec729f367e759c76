"""Read `httpHeaders.actions` of Routes and IngressControllers."""

from __future__ import annotations

import re

from ..model.route import HeaderAction, HeaderActions
from ..parse.fields import Fields
from .names import is_token

_MOST_ACTIONS = 20
_MOST_NAME = 255
_MOST_VALUE = 16_384
_FORBIDDEN = frozenset({"strict-transport-security", "proxy", "cookie", "set-cookie"})
_OPTIONS = r"(?:,lower)?(?:,base64)?"
_HEADER = r"%\[(?:{0}\.hdr\([!#$%&'*+.^_`|~0-9A-Za-z-]+\)|ssl_c_der)" + _OPTIONS + r"\]"
_VALUES = {
    side: re.compile(rf"(?:%%|{_HEADER.format(side)}|[^%\x00-\x08\x0a-\x1f\x7f])+")
    for side in ("req", "res")
}
"""What a value may be: literals, `%%`, `%[req.hdr(X)]` or `%[res.hdr(X)]`, `%[ssl_c_der]`."""


def header_actions(headers: Fields) -> HeaderActions:
    """Read the `actions` of an `httpHeaders`."""
    actions = headers.child("actions")
    return HeaderActions(
        request=_side(actions, "request", "req"), response=_side(actions, "response", "res")
    )


def _side(actions: Fields, key: str, side: str) -> tuple[HeaderAction, ...]:
    entries = actions.children(key)
    if len(entries) > _MOST_ACTIONS:
        actions.problem(key, f"has {len(entries)} entries: use at most {_MOST_ACTIONS}")
    seen: set[str] = set()
    found = []
    for entry in entries[:_MOST_ACTIONS]:
        action = HeaderAction(_name(entry, seen), *_action(entry.child("action"), side))
        found.append(action)
    return tuple(found)


def _name(entry: Fields, seen: set[str]) -> str:
    name = entry.text("name", required=True)
    lower = name.lower()
    if lower in _FORBIDDEN:
        entry.problem("name", f"{name!r} may not be changed this way: remove the entry")
    elif lower in seen:
        entry.problem("name", f"{name!r} is there twice: keep one of the two")
    elif len(name) > _MOST_NAME or (name and not is_token(name)):
        entry.problem("name", f"is no header name of at most {_MOST_NAME} characters")
    seen.add(lower)
    return name


def _action(action: Fields, side: str) -> tuple[str, str]:
    kind = action.choice("type", ("Set", "Delete"), "", required=True)
    if kind != "Set":
        return kind, ""
    value = action.child("set").text("value", required=True)
    if len(value) > _MOST_VALUE:
        action.problem("set", f"has a value of {len(value)}: use at most {_MOST_VALUE} characters")
    elif value and _VALUES[side].fullmatch(value) is None:
        action.problem(
            "set", f"has a value that can't be understood: write %% for '%', or %[{side}.hdr(X)]"
        )
    return kind, value
