"""One immutable view of all objects, swapped as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from .model import (
    DNS,
    ConfigMap,
    DNSRecord,
    Endpoints,
    EndpointSlice,
    Ingress,
    IngressClass,
    IngressController,
    Namespace,
    Node,
    Object,
    Pod,
    Route,
    Secret,
    Service,
)
from .problem import Problem

Key = tuple[str, str]
"""(namespace, name); the namespace of a cluster-scoped object is empty."""

ATTRIBUTES: Mapping[str, str] = MappingProxyType({
    "Route": "routes",
    "Service": "services",
    "Ingress": "ingresses",
    "IngressClass": "ingress_classes",
    "IngressController": "ingress_controllers",
    "EndpointSlice": "endpoint_slices",
    "Endpoints": "endpoints",
    "Pod": "pods",
    "Secret": "secrets",
    "ConfigMap": "config_maps",
    "Namespace": "namespaces",
    "DNSRecord": "dns_records",
    "DNS": "dns",
    "Node": "nodes",
})  # fmt: skip
"""Kind -> the snapshot's attribute that holds its objects."""

T = TypeVar("T")
NONE: Mapping[Any, Any] = MappingProxyType({})


class Snapshot(NamedTuple):
    """All objects at one moment, in the order in which they were read.

    An object that did not change is the very same value in the next snapshot (`is`), so that
    what was compiled from it can be kept.
    """

    version: int = 0
    """Grows by one with each snapshot of a source."""
    problems: tuple[Problem, ...] = ()
    routes: Mapping[Key, Route] = NONE
    services: Mapping[Key, Service] = NONE
    ingresses: Mapping[Key, Ingress] = NONE
    ingress_classes: Mapping[Key, IngressClass] = NONE
    ingress_controllers: Mapping[Key, IngressController] = NONE
    endpoint_slices: Mapping[Key, EndpointSlice] = NONE
    endpoints: Mapping[Key, Endpoints] = NONE
    pods: Mapping[Key, Pod] = NONE
    secrets: Mapping[Key, Secret] = NONE
    config_maps: Mapping[Key, ConfigMap] = NONE
    namespaces: Mapping[Key, Namespace] = NONE
    dns_records: Mapping[Key, DNSRecord] = NONE
    dns: Mapping[Key, DNS] = NONE
    nodes: Mapping[Key, Node] = NONE
    slices_by_service: Mapping[Key, tuple[EndpointSlice, ...]] = NONE
    """(namespace, Service name) -> its EndpointSlices."""
    pods_by_namespace: Mapping[str, tuple[Pod, ...]] = NONE

    def of_kind(self, kind: str) -> Mapping[Key, Any]:
        """Give the objects of a kind (`Route`); empty for a kind that podway does not read."""
        attribute = ATTRIBUTES.get(kind)
        objects: Mapping[Key, Any] = getattr(self, attribute) if attribute else NONE
        return objects


def build(
    objects: Iterable[Object], problems: Iterable[Problem] = (), version: int = 1
) -> Snapshot:
    """Make the snapshot of these objects; of two with the same name the first one stays."""
    by_kind: defaultdict[str, dict[Key, Any]] = defaultdict(dict)
    for each in objects:
        by_kind[each.meta.kind].setdefault(each.meta.key, each)
    return _with(Snapshot(version=version, problems=tuple(problems)), by_kind)


def replaced(before: Snapshot, objects: Iterable[Object]) -> Snapshot:
    """Give the next snapshot, in which these objects stand where those of their names stood."""
    by_kind: dict[str, dict[Key, Any]] = {}
    for each in objects:
        kind = each.meta.kind
        if kind not in by_kind:
            known: Any = before.of_kind(kind)
            by_kind[kind] = known.copy()  # dict(known) takes ten times as long
        by_kind[kind][each.meta.key] = each
    return _with(before._replace(version=before.version + 1), by_kind)


def _with(snapshot: Snapshot, by_kind: Mapping[str, Mapping[Key, Any]]) -> Snapshot:
    """Put these kinds' objects in place, and what is grouped from them."""
    fields: dict[str, Any] = {
        ATTRIBUTES[kind]: MappingProxyType(found) for kind, found in by_kind.items()
    }
    if "EndpointSlice" in by_kind:
        slices: Iterable[EndpointSlice] = by_kind["EndpointSlice"].values()
        services = ((each.meta.namespace, each.service_name) for each in slices)
        fields["slices_by_service"] = _grouped(services, slices)
    if "Pod" in by_kind:
        pods: Iterable[Pod] = by_kind["Pod"].values()
        spaces = (each.meta.namespace for each in pods)
        fields["pods_by_namespace"] = _grouped(spaces, pods)
    return snapshot._replace(**fields)


def _grouped(keys: Iterable[Any], values: Iterable[T]) -> Mapping[Any, tuple[T, ...]]:
    groups: defaultdict[Any, list[T]] = defaultdict(list)
    for key, value in zip(keys, values, strict=True):
        groups[key].append(value)
    return MappingProxyType({key: tuple(group) for key, group in groups.items()})
