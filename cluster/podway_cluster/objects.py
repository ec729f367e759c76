"""From a file's documents to its objects: which are there, which are good, what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .kinds import KINDS, Kind
from .kinds.names import is_label, is_label_value, utc
from .model import Meta, Object, Order, Origin
from .parse.builder import Json, Path
from .parse.documents import Document, documents
from .parse.fields import Fields
from .problem import Problem
from .report import NOBODY, Identity, Report


class Place(NamedTuple):
    """Where a file is."""

    directory: int
    """Which of the given directories."""
    path: str
    """Below that directory."""
    file: str
    """As it is shown in problems."""


class Entry(NamedTuple):
    """One object of a file."""

    identity: Identity
    origin: Origin
    value: Object | None
    """None where it is bad: then a problem says why."""


class Content(NamedTuple):
    """What a file holds."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    complete: bool = True
    """False where a part could not be read or has no name, so that the file may hold more objects
    than `entries`."""
    retained: tuple[Entry, ...] = ()
    """What an incomplete file held before and may still hold."""


class _Item(NamedTuple):
    """One object's data inside a document."""

    data: Json
    path: Path = ()
    api_version: str = ""
    """For an item that names none: that of its list."""
    kind: str = ""


_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""An annotation with a copy of the whole object, a Secret's data included: not kept."""


def read_file(content: bytes, place: Place) -> Content:
    """Read everything that a file's bytes hold; never raises."""
    entries: list[Entry] = []
    report = Report(place.file)
    complete = True
    for part in documents(content, is_json=place.path.lower().endswith(".json")):
        if isinstance(part, Document):
            for item in _items(part.data):
                order = Order(*place[:2], len(entries))
                entry = _read_item(item, part, order, place, report)
                if entry is not None:
                    entries.append(entry)
            report.look_up_lines(part)
        else:
            complete = False
            report.unreadable(part)
    return Content(tuple(entries), report.problems(), complete and not report.nameless)


def _items(data: Json) -> Iterator[_Item]:
    """Give the objects of a document: itself, or the items of a `List` or `RouteList`."""
    kind = data.get("kind") if isinstance(data, dict) else None
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(kind, str) or not kind.endswith("List") or not isinstance(items, list):
        yield _Item(data)
        return
    api_version = data.get("apiVersion")
    inherited = api_version if isinstance(api_version, str) and kind != "List" else ""
    for position, item in enumerate(items):
        yield _Item(item, ("items", position), inherited, kind.removesuffix("List"))


def _read_item(
    item: _Item, document: Document, order: Order, place: Place, report: Report
) -> Entry | None:
    """Read one object; None where it is none of ours or has no name to know it by."""
    kind = _kind(item, report)
    if kind is None:
        return None
    identity = _identity(item.data, kind)
    before, base = report.count, len(item.path)

    def wrong(path: Path, message: str) -> None:
        report.add(path, base, identity, message)

    for flaw in document.flaws:
        if flaw.path[:base] == item.path:
            line = document.offset + flaw.line + 1
            report.add(flaw.path, base, identity, flaw.message, line)
    fields = Fields(item.data, item.path, wrong)
    _check_version(fields, item, kind)
    origin = Origin(place.file, document.line_of(item.path))
    value = kind.read(_meta(fields, kind, identity, origin, order), fields)
    if not identity[2]:
        return None
    return Entry(identity, origin, value if report.count == before else None)


def _kind(item: _Item, report: Report) -> Kind | None:
    """Find out what an object is; None where it is unknown (ignored) or unusable (reported)."""

    def refuse(step: str, message: str) -> None:
        path = (*item.path, step) if step else item.path
        report.add(path, 0, NOBODY, message)

    if not isinstance(item.data, dict):
        refuse("", "is no object: it must be a mapping with apiVersion, kind and metadata")
        return None
    api_version, kind = item.data.get("apiVersion"), item.data.get("kind")
    for key, value in (("apiVersion", api_version), ("kind", kind)):
        if value is not None and not isinstance(value, str):
            refuse(key, "must be a text")
            return None
    api_version, kind = api_version or item.api_version, kind or item.kind
    if not api_version or not kind:
        refuse("", f"has no {'kind' if api_version else 'apiVersion'}: add it, or move what is no "
                   "object of the cluster elsewhere")  # fmt: skip
        return None
    return KINDS.get((api_version.rpartition("/")[0], kind))


def _identity(data: Mapping[str, Json], kind: Kind) -> Identity:
    metadata = data.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    name, namespace = found.get("name"), found.get("namespace") or "default"
    return (
        kind.name,
        # Ten thousand Routes are in few namespaces, and keep one text for each.
        sys.intern(namespace) if kind.namespaced and isinstance(namespace, str) else "",
        name if isinstance(name, str) else "",
    )


def _check_version(fields: Fields, item: _Item, kind: Kind) -> None:
    found = fields.text("apiVersion") or item.api_version
    if found != kind.api_version:
        fields.problem("apiVersion", f"{found} is not read: use {kind.api_version}")


def _meta(fields: Fields, kind: Kind, identity: Identity, origin: Origin, order: Order) -> Meta:
    metadata = fields.child("metadata")
    _check_names(metadata, kind)
    annotations = metadata.mapping("annotations")
    annotations.pop(_LAST_APPLIED, None)
    return Meta(
        *identity,
        labels=_labels(metadata),
        annotations=annotations,
        creation_timestamp=_time(metadata, "creationTimestamp"),
        uid=metadata.text("uid"),
        deletion_timestamp=_time(metadata, "deletionTimestamp"),
        origin=origin,
        order=order,
        owner=_owner(metadata),
    )


def _owner(metadata: Fields) -> str:
    for each in metadata.children("ownerReferences"):
        if each.truth("controller"):
            return f"{each.text('kind')}/{each.text('name')}"
    return ""


def _check_names(metadata: Fields, kind: Kind) -> None:
    if metadata.filled("generateName") and not metadata.filled("name"):
        metadata.problem("generateName", "needs a cluster to make a name: give metadata.name")
        return
    name = metadata.text("name", required=True)
    if name and not kind.allows(name):
        metadata.problem("name", f"{name[:80]!r} is no name: use a-z, 0-9 and '-'")
    namespace = metadata.text("namespace")
    if kind.namespaced and namespace and not is_label(namespace):
        metadata.problem("namespace", f"{namespace[:80]!r} is no namespace: use a-z, 0-9 and '-'")


def _labels(metadata: Fields) -> dict[str, str]:
    labels = metadata.mapping("labels")
    for key, value in labels.items():
        if not is_label_value(value):
            message = f"{value[:80]!r} is no label: use at most 63 of a-z, A-Z, 0-9, '-', '_', '.'"
            metadata.child("labels").problem(key, message)
    return labels


def _time(metadata: Fields, key: str) -> str:
    text = metadata.text(key)
    found = utc(text) if text else ""
    if text and not found:
        metadata.problem(key, f"{text[:80]!r} is no time: write it like 2024-05-31T12:00:00Z")
    return found
