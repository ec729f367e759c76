"""Whose an answer is: the router's own, its operator's page, or a pod's. Pure."""

from __future__ import annotations

import json
from typing import Any

from podway.ask import HttpAnswer
from podway_cluster import Snapshot
from podway_proxy.http.error_page import read_page
from podway_router import error_pages

ERROR_PAGE = "error-page"
"""Stands for the step where an operator's page hides it."""


def router_page(answer: HttpAnswer) -> dict[str, Any] | None:
    """Give the router's own answer (JSON with step and reason); None for anybody else's."""
    if answer.status < 400 or "x-pod" in answer.headers:
        return None
    try:
        page = json.loads(answer.body)
    except ValueError:
        return None
    known = isinstance(page, dict) and {"status", "step", "reason", "server"} <= page.keys()
    return page if known else None


def operators_page(snapshot: Snapshot, answer: HttpAnswer) -> dict[str, Any] | None:
    """Give the same for a page of `httpErrorCodePages`; the step is then `ERROR_PAGE`."""
    for controller in snapshot.ingress_controllers.values():
        text = (error_pages.wanted(snapshot, controller) or {}).get(str(answer.status))
        if text is None:
            continue
        if read_page(text.encode(), answer.status).body == answer.body.encode():
            name = f"ConfigMap {error_pages.NAMESPACE}/{controller.http_error_code_pages}"
            return {
                "status": answer.status,
                "step": ERROR_PAGE,
                "reason": f"the page in {name} hides why",
                "server": f"podway-router {controller.meta.name}",
            }
    return None
