"""Which Routes a new snapshot can change: what they are compiled from is no longer the same. Pure.

An object that did not change is the very same value in the next snapshot, so that comparing ten
thousand of them takes a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import compress
from operator import is_, is_not
from typing import Any, NamedTuple

from podway_cluster import Snapshot
from podway_cluster.model import Pod, Route

Key = tuple[str, str]
_EVERYTHING = ("ingress_controllers", "namespaces", "config_maps")
"""Kinds that settings of a whole shard come from: they change rarely."""


class Differences(NamedTuple):
    """What differs between two snapshots, as far as a Route's entry depends on it."""

    everything: bool = False
    """Settings of a whole shard: every Route is compiled anew."""
    services: frozenset[Key] = frozenset()
    """Services that changed themselves, or whose endpoints did."""
    secrets: frozenset[Key] = frozenset()


def between(before: Snapshot, after: Snapshot) -> Differences:
    """Compare two snapshots."""
    if any(differing(getattr(before, kind), getattr(after, kind)) for kind in _EVERYTHING):
        return Differences(everything=True)
    services = {
        *differing(before.services, after.services),
        *_regrouped(before.slices_by_service, after.slices_by_service),
        *differing(before.endpoints, after.endpoints),
        *_selecting(before, after),
    }
    secrets = differing(before.secrets, after.secrets)
    return Differences(services=frozenset(services), secrets=frozenset(secrets))


def concerned(routes: Mapping[Key, Route], found: Differences) -> set[Key] | None:
    """Give the Routes that must be compiled anew for it; None means all of them.

    A Secret that no Route names may be a controller's own.
    """
    if found.everything:
        return None
    named: set[Key] = set()
    keys: set[Key] = set()
    for key, route in routes.items() if found.services or found.secrets else ():
        namespace = key[0]
        if any((namespace, one.name) in found.services for one in route.backends):
            keys.add(key)
        if route.tls and (namespace, route.tls.external_certificate) in found.secrets:
            named.add((namespace, route.tls.external_certificate))
            keys.add(key)
    return None if found.secrets - named else keys


def differing(before: Mapping[Key, Any], after: Mapping[Key, Any]) -> set[Key]:
    """Give the keys whose objects are not the same."""
    if before is after:
        return set()
    if len(before) == len(after) and all(map(is_, before, after)):  # the usual case: 0.4 ms
        return set(compress(after, map(is_not, before.values(), after.values())))
    found = {key for key, value in after.items() if before.get(key) is not value}
    found.update(before.keys() - after.keys())
    return found


def _regrouped(
    before: Mapping[Key, tuple[Any, ...]], after: Mapping[Key, tuple[Any, ...]]
) -> set[Key]:
    """Likewise for groups of objects: the tuples are always new, their members not."""
    if before is after:
        return set()
    found = {key for key, value in after.items() if before.get(key) != value}
    found.update(before.keys() - after.keys())
    return found


def _selecting(before: Snapshot, after: Snapshot) -> Iterable[Key]:
    """Give the Services that select a Pod which changed, as it was or as it is."""
    keys = differing(before.pods, after.pods)
    pods: dict[str, list[Pod]] = {}
    for key in keys:
        versions = (before.pods.get(key), after.pods.get(key))
        pods.setdefault(key[0], []).extend(pod for pod in versions if pod is not None)
    if not pods:
        return
    for key, service in after.services.items():
        wanted = service.selector.items()
        if wanted and any(wanted <= pod.meta.labels.items() for pod in pods.get(key[0], ())):
            yield key
