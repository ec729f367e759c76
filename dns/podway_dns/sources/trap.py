"""The empty-non-terminal trap of ACME dns-01, closed. Pure.

`_acme-challenge.foo.apps` makes `foo.apps` exist without data, so `*.apps` no longer answers for
it, nor for what is below it (RFC 4592 section 2.2.2): a certificate renewal would take the site
down. Each such name is given what the wildcard would have answered, and a wildcard of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from podway_dns.names import STAR, Name, parent
from podway_dns.records import RRset
from podway_dns.sources.zonedata import ZoneData


def close(zone: ZoneData, owners: Iterable[Name]) -> None:
    """Materialise wildcards at the empty non-terminals above `owners` (`_acme-challenge.…`)."""
    existing = _existing(zone, frozenset(owners))
    for owner in sorted(owners, key=len):
        if owner[1:2] == b"_":
            _fill(zone, owner, existing)


def _existing(zone: ZoneData, without: frozenset[Name]) -> set[Name]:
    """Collect the names that exist without those owners, empty non-terminals included."""
    found = {zone.origin}
    for owner in zone.records:
        name = owner
        while owner not in without and name not in found:
            found.add(name)
            name = parent(name)
    return found


def _fill(zone: ZoneData, owner: Name, existing: set[Name]) -> None:
    """Fill the names between the owner and its closest encloser of before."""
    between: list[Name] = []
    name = parent(owner)
    while name not in existing:
        between.append(name)
        name = parent(name)
    sets = zone.records.get(STAR + name)
    if sets and not name.startswith(STAR):
        for each in between:
            _materialise(zone, each, sets)
            _materialise(zone, STAR + each, sets)


def _materialise(zone: ZoneData, name: Name, sets: dict[int, RRset]) -> None:
    if len(name) <= 255 and name not in zone.records:
        zone.records[name] = dict(sets)
