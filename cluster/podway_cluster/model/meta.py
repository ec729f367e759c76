"""What every object has: its name, labels, age, and where it was read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

EMPTY: Mapping[str, str] = MappingProxyType({})
"""The mapping that an absent field stands for."""


class Hidden(str):
    """A text that must not show in logs or problems (a private key): its repr says nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Say only whether there is anything."""
        return "<hidden>" if self else "''"


class Origin(NamedTuple):
    """Where an object was read."""

    file: str
    line: int
    """Counted from 1: the first line of the object."""

    def __str__(self) -> str:
        """Give `file:line`, which terminals and editors turn into a link."""
        return f"{self.file}:{self.line}"


class Order(NamedTuple):
    """The place of an object among all others: compares like the order in which one reads them.

    It depends on nothing but the object's own place, so that a new file changes no other object.
    """

    directory: int
    """Which of the given directories."""
    path: str
    """The file below that directory."""
    position: int
    """Which object of that file."""


class Meta(NamedTuple):
    """The `metadata` of an object."""

    kind: str
    namespace: str
    """Empty for cluster-scoped kinds; `default` where a namespaced object names none."""
    name: str
    labels: Mapping[str, str] = EMPTY
    annotations: Mapping[str, str] = EMPTY
    creation_timestamp: str = ""
    """RFC 3339 in UTC with seconds, so that texts compare like times; empty where unknown."""
    uid: str = ""
    deletion_timestamp: str = ""
    origin: Origin = Origin("", 0)
    order: Order = Order(0, "", 0)
    owner: str = ""
    """Kind and name of the controller among `ownerReferences`, `Ingress/web`; else empty."""

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name): what the snapshot's mappings are keyed by."""
        return (self.namespace, self.name)

    @property
    def label(self) -> str:
        """What people call it: `route shop/web`, `node node-1`."""
        scope = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind.lower()} {scope}{self.name}"

    @property
    def seniority(self) -> tuple[bool, str, str, Order, str, str]:
        """Sort key, oldest first: creation time, then UID, then order of reading, then name.

        An object without a creation time counts as created now: after those that have one.
        """
        born = self.creation_timestamp
        return (not born, born, self.uid, self.order, self.namespace, self.name)


class Requirement(NamedTuple):
    """One of a selector's `matchExpressions`."""

    key: str
    operator: str
    """In, NotIn, Exists or DoesNotExist."""
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels fulfil it (NotIn is also fulfilled by an absent label)."""
        if self.operator == "Exists":
            return self.key in labels
        if self.operator == "DoesNotExist":
            return self.key not in labels
        inside = self.key in labels and labels[self.key] in self.values
        return inside if self.operator == "In" else not inside


class LabelSelector(NamedTuple):
    """`matchLabels` and `matchExpressions`, which must all hold; empty selects everything."""

    match_labels: Mapping[str, str] = EMPTY
    match_expressions: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an object with these labels is selected."""
        equal = all(labels.get(key) == value for key, value in self.match_labels.items())
        return equal and all(each.matches(labels) for each in self.match_expressions)
