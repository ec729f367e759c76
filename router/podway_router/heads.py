"""What Routes and controllers ask to be done to heads: fields of their entries. The loader's. Pure.

An action that would break framing, a format that can't be filled: left out, and said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from podway_router import actions, unique_id
from podway_router.entry import HeadsEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podway_cluster.model import IngressController, Route
    from podway_cluster.model.route import HeaderAction
    from podway_router.wishes import Wishes

Faults = list[tuple[str, str]]
"""(field, message)"""
_ACTIONS = "spec.httpHeaders.actions"


def of_route(route: Route, wishes: Wishes) -> tuple[dict[str, Any], Faults]:
    """Give the fields of a `RouteEntry` that are about heads, and what is wrong."""
    faults: Faults = []
    asked = route.http_headers
    fields = {
        "request_actions": _entries(asked.request, "request", faults),
        "response_actions": _entries(asked.response, "response", faults),
        "hsts": wishes.hsts or "",
        "rewrite": None if wishes.rewrite is None else [route.path, wishes.rewrite],
        "adjusts_case": wishes.adjusts_case,
    }
    return fields, faults


def of_controller(controller: IngressController) -> tuple[HeadsEntry, Faults]:
    """Give what a controller does to all heads, and what is wrong."""
    faults: Faults = []
    asked = controller.http_headers
    most = controller.tuning_options.header_buffer_bytes
    entry = HeadsEntry(
        most=most,
        request_actions=_entries(asked.actions.request, "request", faults),
        response_actions=_entries(asked.actions.response, "response", faults),
        unique_id=asked.unique_id_name,
        unique_id_format=_format(asked.unique_id_name, asked.unique_id_format, faults),
        names=list(asked.header_name_case_adjustments) or None,
    )
    return entry, faults


def _entries(asked: Iterable[HeaderAction], side: str, faults: Faults) -> list[list[str]] | None:
    found = []
    for place, action in enumerate(asked):
        value = action.value if action.type == "Set" else None
        fault = actions.fault(action.name, value, side == "request")
        if fault:
            faults.append((f"{_ACTIONS}.{side}[{place}]", fault))
        else:
            found.append([action.name] if value is None else [action.name, value])
    return found or None


def _format(name: str, text: str, faults: Faults) -> str:
    field = "spec.httpHeaders.uniqueId.format"
    if text and not name:
        faults.append((field, "has no effect without spec.httpHeaders.uniqueId.name: add one"))
        return ""
    fault = unique_id.fault(text)
    if fault:
        faults.append((field, f"{fault}: {unique_id.FORMAT!r} is used instead"))
        return ""
    return text
