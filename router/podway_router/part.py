"""One controller's part of a snapshot: its Routes, each with what came of it. Pure.

A part is made whole once; after a change it goes on from the part before, and only the Routes
that the change concerns are compiled anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from podway_cluster import Snapshot
from podway_cluster.model import IngressController, Route
from podway_router import certificates, claims, shard
from podway_router.admission import ADMITTED, Claim, Condition, Key
from podway_router.admitted import Admitted, readmit
from podway_router.options import Options
from podway_router.status import RouteStatus, judge, secrets_of


class Part(NamedTuple):
    """One controller's Routes, decided."""

    controller: IngressController
    asked: Mapping[Key, Claim | Condition] = {}
    """What each Route of the shard claims, or why it can claim nothing."""
    admitted: Admitted = Admitted()
    statuses: Mapping[Key, RouteStatus] = {}
    """In the order of the snapshot's Routes."""


def advanced(
    before: Part,
    snapshot: Snapshot,
    routes: Mapping[Key, Route],
    changed: Collection[Key],
    concerned: Collection[Key],
    options: Options,
) -> tuple[Part, set[Key]]:
    """Give the part for a new snapshot, and the keys of the Routes whose status is new or gone.

    `changed` are Routes that are not what they were, `concerned` those of which something else
    changed: Services, endpoints.
    """
    controller = before.controller
    asked = dict(before.asked)
    asking = {*changed, *(key for key in concerned if _names_secret(routes[key]))}
    for key in asking:
        found = _told(_ask(snapshot, controller, routes.get(key)), before.asked.get(key))
        if found is None:
            asked.pop(key, None)
        else:
            asked[key] = found
    moved = [key for key in asking if asked.get(key) != before.asked.get(key)]
    come = [claim for key in moved if isinstance(claim := asked.get(key), Claim)]
    admitted = before.admitted
    redo = {*changed, *concerned}
    if moved:
        admitted, differing = readmit(admitted, set(moved), come, claims.policy(controller))
        redo |= differing
    statuses = dict(before.statuses)
    come_new = any(key in asked and key not in statuses for key in redo)
    for key in redo:
        if key in asked:
            decided = admitted.conditions.get(key, ADMITTED)
            statuses[key] = judge(snapshot, controller, routes[key], asked[key], decided, options)
        else:
            statuses.pop(key, None)
    part = Part(controller, asked, admitted, statuses)
    return in_order(part, routes) if come_new else part, redo


def in_order(part: Part, routes: Mapping[Key, Route]) -> Part:
    """Give the part with its statuses in the order of these Routes."""
    statuses = {key: part.statuses[key] for key in routes if key in part.statuses}
    return part._replace(statuses=statuses)


def _ask(
    snapshot: Snapshot, controller: IngressController, route: Route | None
) -> Claim | Condition | None:
    """Give the claim of a Route of this shard; None where it is of another, or of none."""
    if route is None:
        return None
    if shard.excluded(controller, route, _labels(snapshot, route.meta.namespace)):
        return None
    found = claims.claim(route, controller)
    if isinstance(found, Claim):
        tls = certificates.of_route(route, found.holds, secrets_of(snapshot, route))
        if isinstance(tls, Condition):
            return tls
    return found


def _names_secret(route: Route) -> bool:
    return route.tls is not None and bool(route.tls.external_certificate)


def _told(
    found: Claim | Condition | None, before: Claim | Condition | None
) -> Claim | Condition | None:
    """Tell a Secret that was taken away from one that never was."""
    if isinstance(found, Condition) and found.reason == certificates.NOT_FOUND:
        was = isinstance(before, Claim) or (
            isinstance(before, Condition) and before.reason == certificates.DELETED
        )
        return found._replace(reason=certificates.DELETED) if was else found
    return found


def _labels(snapshot: Snapshot, namespace: str) -> Mapping[str, str]:
    """Give a Namespace's labels, with the one that the cluster sets itself."""
    found = snapshot.namespaces.get(("", namespace))
    own = {"kubernetes.io/metadata.name": namespace}
    return {**found.meta.labels, **own} if found else own
