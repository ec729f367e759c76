"""From a file's documents to its objects: which are there, which are good, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .kinds import KINDS, Kind
from .kinds.names import is_label, is_label_value, utc
from .model import Meta, Object, Order, Origin
from .parse.builder import Json, Path
from .parse.caps import PROBLEMS
from .parse.documents import Document, documents
from .parse.fields import Fields, spell
from .problem import Problem

Identity = tuple[str, str, str]
"""(kind, namespace, name)."""


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


class _Finding(NamedTuple):
    """A problem before its line is looked up."""

    path: Path
    """From the document's root."""
    base: int
    """How many steps of the path lead to the object."""
    identity: Identity
    message: str
    line: int = 0
    """In the file, from 1; 0 where it is still to be looked up."""


class _Item(NamedTuple):
    """One object's data inside a document."""

    data: Json
    path: Path = ()
    api_version: str = ""
    """For an item that names none: that of its list."""
    kind: str = ""


_NOBODY: Identity = ("", "", "")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""An annotation with a copy of the whole object, a Secret's data included: not kept."""


def read_file(content: bytes, place: Place) -> Content:
    """Read everything that a file's bytes hold; never raises."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    complete = True
    for part in documents(content, is_json=place.path.lower().endswith(".json")):
        if isinstance(part, Document):
            findings = _read_document(part, place, entries)
            problems.extend(_problems(part, place, findings) if findings else ())
            complete = complete and all(finding.identity[2] for finding in findings)
        else:
            complete = False
            problems.append(Problem(place.file, part.line, *_NOBODY, "", part.message))
    return Content(tuple(entries), _capped(problems), complete)


def _read_document(document: Document, place: Place, entries: list[Entry]) -> list[_Finding]:
    """Add the document's objects to `entries`; give what is wrong with them."""
    findings: list[_Finding] = []
    for item in _items(document.data):
        entry = _read_item(item, document, Order(*place[:2], len(entries)), place, findings)
        if entry is not None:
            entries.append(entry)
    return findings


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
    item: _Item, document: Document, order: Order, place: Place, findings: list[_Finding]
) -> Entry | None:
    """Read one object; None where it is none of ours or has no name to know it by."""
    kind = _kind(item, findings)
    if kind is None:
        return None
    identity = _identity(item.data, kind)
    before = len(findings)

    def report(path: Path, message: str) -> None:
        findings.append(_Finding(path, len(item.path), identity, message))

    for flaw in document.flaws:
        if flaw.path[: len(item.path)] == item.path:
            line = document.offset + flaw.line + 1
            findings.append(_Finding(flaw.path, len(item.path), identity, flaw.message, line))
    fields = Fields(item.data, item.path, report)
    _check_version(fields, item, kind)
    origin = Origin(place.file, document.line_of(item.path))
    value = kind.read(_meta(fields, kind, identity, origin, order), fields)
    if not identity[2]:
        return None
    return Entry(identity, origin, value if len(findings) == before else None)


def _kind(item: _Item, findings: list[_Finding]) -> Kind | None:
    """Find out what an object is; None where it is unknown (ignored) or unusable (reported)."""

    def refuse(step: str, message: str) -> None:
        path = (*item.path, step) if step else item.path
        findings.append(_Finding(path, 0, _NOBODY, message))

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
        namespace if kind.namespaced and isinstance(namespace, str) else "",
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
    )


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


def _problems(document: Document, place: Place, findings: list[_Finding]) -> Iterator[Problem]:
    lines = document.find_lines({finding.path for finding in findings if not finding.line})
    for path, base, identity, message, line in findings:
        at = line or lines[path]
        yield Problem(place.file, at, *identity, spell(path[base:]), message)


def _capped(problems: list[Problem]) -> tuple[Problem, ...]:
    if len(problems) <= PROBLEMS:
        return tuple(problems)
    file, line, *_ = problems[PROBLEMS]
    more = f"has {len(problems) - PROBLEMS} more problems: correct those above first"
    return (*problems[:PROBLEMS], Problem(file, line, *_NOBODY, "", more))
