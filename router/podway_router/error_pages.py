"""`spec.httpErrorCodePages`: a controller's own pages for 503 and 404. Pure.

With a page for 404 a request that no Route serves is answered 404 in place of 503, as the OpenShift
router does it (its template's backend openshift_default denies with 404).
"""

from __future__ import annotations

from collections.abc import Iterator

from podway_cluster import Problem, Snapshot
from podway_cluster.model import ConfigMap, IngressController
from podway_proxy.http.error_page import PageError, read_page

NAMESPACE = "openshift-config"
KEYS = {"error-page-503.http": 503, "error-page-404.http": 404}
_FIELD = "spec.httpErrorCodePages.name"


def wanted(snapshot: Snapshot, controller: IngressController) -> dict[str, str] | None:
    """Give the texts of the pages that are in order, by status; None where there are none."""
    found = _config_map(snapshot, controller)
    if found is None:
        return None
    good = {
        str(status): found.data[key]
        for key, status in KEYS.items()
        if key in found.data and not _fault(found.data[key], status)
    }
    return good or None


def problems(snapshot: Snapshot, controller: IngressController) -> Iterator[Problem]:
    """Say what is wrong with them: podway's own page is served instead."""
    name = controller.http_error_code_pages
    found = _config_map(snapshot, controller)
    if found is None:
        if name:
            message = f"there is no ConfigMap {NAMESPACE}/{name}: podway's own pages are served"
            yield Problem.about(controller.meta, _FIELD, message)
        return
    if not KEYS.keys() & found.data.keys():
        yield Problem.about(found.meta, "data", f"has neither {' nor '.join(KEYS)}")
    for key, status in KEYS.items():
        fault = _fault(found.data[key], status) if key in found.data else ""
        if fault:
            message = f"{fault}; until then podway's own page is served"
            yield Problem.about(found.meta, f"data[{key}]", message)


def _config_map(snapshot: Snapshot, controller: IngressController) -> ConfigMap | None:
    name = controller.http_error_code_pages
    return snapshot.config_maps.get((NAMESPACE, name)) if name else None


def _fault(text: str, status: int) -> str:
    try:
        read_page(text.encode(), status)
    except PageError as error:
        return str(error)
    return ""
