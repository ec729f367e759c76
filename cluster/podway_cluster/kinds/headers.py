"""Read `httpHeaders` of Routes and IngressControllers."""

from __future__ import annotations

import re

from ..model.controller import ControllerHeaders
from ..model.route import HeaderAction, HeaderActions
from ..parse.fields import Fields
from .names import is_token

_MOST_ACTIONS = 20
_MOST_NAME = 255
_MOST_VALUE = 16_384
_MOST_TEXT = 1_024
"""Characters of a unique id's format, and of a name whose case is adjusted (operator/v1)."""
_FORBIDDEN = frozenset({"strict-transport-security", "proxy", "cookie", "set-cookie"})
_FORBIDDEN_TO_CONTROLLERS = _FORBIDDEN | {"host"}
"""A controller's actions come before the choice of the Route (operator/v1)."""
_FORWARDED = ("Append", "Replace", "IfNone", "Never")
_FLAGS = r"(?:\{[-+]?[QXE](?:,[-+]?[QXE])*\})?"
_FETCH = r"%" + _FLAGS + r"\[(?:{0}\.hdr\([0-9A-Za-z-]+\)|ssl_c_der)(?:,(?:lower|base64))*\]"
_VALUES = {
    side: re.compile(rf"(?:%%|{_FETCH.replace('{0}', side)}|[^%\x00-\x1f\x7f])+")
    for side in ("req", "res")
}
"""What a value may be (route/v1, `RouteHTTPHeaderActions`): literals, `%%`, `%[req.hdr(X)]` or
`%[res.hdr(X)]`, `%[ssl_c_der]`."""
_FORMAT = re.compile(
    r"(?:%(?:%|"
    + _FLAGS
    + r"(?:[A-Za-z]+|\[[.0-9A-Z_a-z]+(?:\([^)]+\))?(?:,[.0-9A-Z_a-z]+(?:\([^)]+\))?)*\]))"
    r"|[^%\x00-\x1f\x7f])*"
)
"""What a unique id's format may be (operator/v1, `IngressControllerHTTPUniqueIdHeaderPolicy`)."""


def controller_headers(headers: Fields) -> ControllerHeaders:
    """Read `spec.httpHeaders` of an IngressController."""
    unique = headers.child("uniqueId")
    return ControllerHeaders(
        forwarded_header_policy=headers.choice("forwardedHeaderPolicy", _FORWARDED, "Append"),
        unique_id_name=_unique_name(unique),
        unique_id_format=_unique_format(unique),
        actions=header_actions(headers, _FORBIDDEN_TO_CONTROLLERS),
        header_name_case_adjustments=_adjustments(headers),
    )


def header_actions(headers: Fields, forbidden: frozenset[str] = _FORBIDDEN) -> HeaderActions:
    """Read the `actions` of an `httpHeaders`; `forbidden` names are in lower case."""
    actions = headers.child("actions")
    return HeaderActions(
        request=_side(actions, "request", "req", forbidden),
        response=_side(actions, "response", "res", forbidden),
    )


def _unique_name(unique: Fields) -> str:
    name = unique.text("name")
    if name and not is_token(name):
        unique.problem("name", f"{name[:80]!r} is no header name")
    elif len(name) > _MOST_TEXT:
        unique.problem("name", f"has {len(name)} characters: use at most {_MOST_TEXT}")
    return name


def _unique_format(unique: Fields) -> str:
    text = unique.text("format")
    if len(text) > _MOST_TEXT:
        unique.problem("format", f"has {len(text)} characters: use at most {_MOST_TEXT}")
    elif _FORMAT.fullmatch(text) is None:
        unique.problem("format", "can't be understood: write %% for '%', %ci or %[req.hdr(X)]")
    return text


def _adjustments(headers: Fields) -> tuple[str, ...]:
    names = headers.texts("headerNameCaseAdjustments")
    for name in names:
        if name and (not is_token(name) or len(name) > _MOST_TEXT):
            headers.problem("headerNameCaseAdjustments", f"{name[:80]!r} is no header name")
    return tuple(name for name in names if name)


def _side(
    actions: Fields, key: str, side: str, forbidden: frozenset[str]
) -> tuple[HeaderAction, ...]:
    entries = actions.children(key)
    if len(entries) > _MOST_ACTIONS:
        actions.problem(key, f"has {len(entries)} entries: use at most {_MOST_ACTIONS}")
    seen: set[str] = set()
    found = []
    for entry in entries[:_MOST_ACTIONS]:
        name = _name(entry, seen, forbidden)
        found.append(HeaderAction(name, *_action(entry.child("action"), side)))
    return tuple(found)


def _name(entry: Fields, seen: set[str], forbidden: frozenset[str]) -> str:
    name = entry.text("name", required=True)
    if name.lower() in forbidden:
        entry.problem("name", f"{name!r} may not be changed this way: remove the entry")
    elif name in seen:  # as it is written: the API takes two that differ in case
        entry.problem("name", f"{name!r} is there twice: keep one of the two")
    elif len(name) > _MOST_NAME or (name and not is_token(name)):
        entry.problem("name", f"is no header name of at most {_MOST_NAME} characters")
    seen.add(name)
    return name


def _action(action: Fields, side: str) -> tuple[str, str]:
    kind = action.choice("type", ("Set", "Delete"), "", required=True)
    if kind == "Delete" and action.has("set"):
        action.problem("set", "is for type: Set only: remove it")
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
