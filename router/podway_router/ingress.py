"""Ingresses as Routes: the snapshot with those that the cluster's controller would have made. Pure.

An Ingress that did not change, and of which nothing changed that it was made with, keeps the
Routes that it had: the very same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from podway_cluster import Problem, Snapshot
from podway_cluster.model import Ingress, Route
from podway_router.ingress_routes import Made, convert
from podway_router.ingress_seen import Seen

CONTROLLER = "openshift.io/ingress-to-route"
"""`spec.controller` of the IngressClasses whose Ingresses become Routes."""
_CLASS = "kubernetes.io/ingress.class"
Key = tuple[str, str]


class Converted(NamedTuple):
    """One Ingress, what it was made with, and what came of it."""

    ingress: Ingress
    seen: Seen
    made: Made


def expanded(
    snapshot: Snapshot, before: Mapping[Key, Converted]
) -> tuple[Snapshot, Mapping[Key, Converted]]:
    """Give the snapshot with the Ingresses' Routes and problems, and what to go on from next time.

    A Route that was read wins over one that would be made with its name.
    """
    if not snapshot.ingresses:
        return snapshot, {}
    owned = _owned(snapshot)
    found = {
        key: _converted(snapshot, ingress, owned.get(key, ()), before.get(key))
        for key, ingress in snapshot.ingresses.items()
    }
    made = {route.meta.key: route for one in found.values() for route in one.made.routes}
    problems = (problem for one in found.values() for problem in one.made.problems)
    routes = {**made, **snapshot.routes} if made else snapshot.routes
    return snapshot._replace(routes=routes, problems=(*snapshot.problems, *problems)), found


def _owned(snapshot: Snapshot) -> dict[Key, tuple[Route, ...]]:
    """Give the Routes that a cluster made of Ingresses and that were read along with them."""
    owned: dict[Key, tuple[Route, ...]] = {}
    for (namespace, _), route in snapshot.routes.items():
        if route.meta.owner.startswith("Ingress/"):
            key = (namespace, route.meta.owner.partition("/")[2])
            owned[key] = (*owned.get(key, ()), route)
    return owned


def _converted(
    snapshot: Snapshot, ingress: Ingress, owned: tuple[Route, ...], before: Converted | None
) -> Converted:
    if before is not None and before.ingress is ingress and before.seen.holds(snapshot, owned):
        return before
    seen = Seen(snapshot, owned)
    why = _unmanaged(ingress, seen)
    if why is None:
        made = convert(ingress, seen)
    else:
        problem = Problem.about(ingress.meta, "spec.ingressClassName", why)
        made = Made(problems=(problem,) if why else ())
    return Converted(ingress, seen, made)


def _unmanaged(ingress: Ingress, seen: Seen) -> str | None:
    """Say why an Ingress is not ours; empty where that is nothing to report, None where it is."""
    name = ingress.meta.annotations.get(_CLASS, ingress.ingress_class_name)
    if not name:
        return None
    found: Any = seen.get("ingress_classes", ("", name))
    if found is None:
        return (
            f"no Routes are made of it: there is no IngressClass {name}; add one with controller "
            f"{CONTROLLER}, or remove the class"
        )
    return None if found.controller == CONTROLLER else ""
