"""Zones and the snapshot of them all: immutable, swapped whole, shared where nothing changed.

A `Zone` maps every existing name, empty non-terminals included, to its `Node`. The `Snapshot`
adds the one look-up table over all zones in which names hidden by a delegation, by a DNAME or by
a zone of their own are left out, so that the closest encloser is simply the first ancestor found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from podway_dns.names import ROOT, Name, ancestors, is_within, parent
from podway_dns.records import CNAME, DNAME, DS, NS, SOA, RRset, soa_minimum

if TYPE_CHECKING:
    from podway_dns.fast import Kept
    from podway_dns.packing import Packed

Sets = tuple[RRset, ...]


class Node:
    """What one name owns: its RRsets, and how it stands in its zone. Immutable."""

    __slots__ = ("cname", "cut", "dname", "origin", "plain", "sets")

    def __init__(self, origin: Name, apex: bool, sets: Iterable[RRset]) -> None:
        self.origin = origin
        """The apex of the zone that it belongs to."""
        self.sets: Sets = tuple(sets)
        self.cname = self.get(CNAME)
        self.dname = self.get(DNAME)
        self.cut = None if apex else self.get(NS)
        """The delegation that begins here (RFC 1034 section 4.2.1)."""
        self.plain = not (self.cname or self.dname or self.cut)
        """Nothing here changes the course of a look-up."""

    def get(self, rtype: int) -> RRset | None:
        """Give the RRset of that type, or None."""
        for rrset in self.sets:
            if rrset.rtype == rtype:
                return rrset
        return None


class Zone:
    """One zone's names. `changed()` makes the next version and shares all that stayed."""

    __slots__ = (
        "_below",
        "address_names",
        "hides",
        "names",
        "negative",
        "nodata",
        "nxdomain",
        "origin",
    )

    def __init__(
        self,
        origin: Name,
        records: Mapping[Name, Sets],
        *,
        address_names: bool = False,
        _base: Zone | None = None,
    ) -> None:
        self.origin = origin
        self.address_names = address_names
        """Names below it that spell an address have that address (nip.io, sslip.io)."""
        self.names: dict[Name, Node] = dict(_base.names) if _base else {}
        self._below: dict[Name, int] = dict(_base._below) if _base else {}
        for owner, sets in records.items():
            self._put(owner, sets)
        self.hides = self._hiding(records, _base)
        """Names of delegations and DNAMEs: what is below them is not answered from here."""
        self.negative = self._negative()
        """The SOA as negative answers carry it (RFC 2308 section 3)."""
        self.nodata: Packed | None = None
        self.nxdomain: Packed | None = None
        """Both packed at first use (`fast`)."""

    def changed(self, records: Mapping[Name, Sets]) -> Zone:
        """Give the next version; an owner without RRsets is taken out."""
        return Zone(self.origin, records, address_names=self.address_names, _base=self)

    def _put(self, owner: Name, sets: Sets) -> None:
        existed = owner in self.names
        if sets:
            self.names[owner] = Node(self.origin, owner == self.origin, sets)
            if not existed:
                self._grow(owner)
        elif existed and owner in self._below:
            self.names[owner] = Node(self.origin, owner == self.origin, ())
        elif existed:
            self._shrink(owner)

    def _grow(self, owner: Name) -> None:
        """Count a new name with its parent; parents that owned nothing come into being."""
        while owner != self.origin:
            owner = parent(owner)
            self._below[owner] = self._below.get(owner, 0) + 1
            if owner in self.names:
                return
            self.names[owner] = Node(self.origin, owner == self.origin, ())

    def _shrink(self, owner: Name) -> None:
        """Take a name out, and each parent that neither owns nor bears anything after that."""
        while True:
            del self.names[owner]
            if owner == self.origin:
                return
            owner = parent(owner)
            self._below[owner] -= 1
            if self._below[owner]:
                return
            del self._below[owner]
            if self.names[owner].sets:
                return

    def _hiding(self, records: Mapping[Name, Sets], base: Zone | None) -> frozenset[Name]:
        kept = base.hides if base else frozenset()
        gone = {owner for owner in records if owner in kept}
        new = {
            owner
            for owner in records
            if (node := self.names.get(owner)) and (node.cut or node.dname)
        }
        return kept if not gone and not new else frozenset((kept - gone) | new)

    def _negative(self) -> RRset | None:
        apex = self.names.get(self.origin)
        soa = apex.get(SOA) if apex else None
        return soa.with_ttl(min(soa.ttl, soa_minimum(soa))) if soa else None

    def hidden(self, name: Name) -> bool:
        """Tell whether a delegation or DNAME above `name` hides it."""
        for ancestor in ancestors(name):
            if ancestor in self.hides:
                return True
            if ancestor == self.origin:
                break
        return False


class Snapshot:
    """All zones of one moment. `index` holds every name that may be answered for."""

    __slots__ = ("answers", "chains", "index", "zones")

    def __init__(self, zones: Iterable[Zone]) -> None:
        self.zones: dict[Name, Zone] = {zone.origin: zone for zone in zones if zone.negative}
        """By apex; a zone without SOA is not served."""
        self.index: Mapping[Name, Node] = _index(self.zones)
        self.chains: dict[bytes, Packed] = {}
        """Packed CNAME chains by owner and type, filled in as they are asked for (`fast`)."""
        self.answers: dict[bytes, Kept] = {}
        """Answers by the whole query but its id, filled in as they are asked for (`server`)."""

    def zone_of(self, name: Name, rtype: int) -> Zone | None:
        """Find the zone with the longest match; DS is the parent's (RFC 4035 section 3.1.4.1)."""
        first = self.zones.get(name)
        if first is not None and rtype != DS:
            return first
        for ancestor in ancestors(name):
            zone = self.zones.get(ancestor)
            if zone is not None:
                return zone
        return first


def _index(zones: Mapping[Name, Zone]) -> Mapping[Name, Node]:
    ordered = sorted(zones.values(), key=lambda zone: len(zone.origin))
    if len(ordered) == 1 and not ordered[0].hides:
        return ordered[0].names
    index: dict[Name, Node] = {}
    for zone in ordered:
        index.update(_visible(zone, [other for other in zones if _inside(other, zone)]))
    return index


def _inside(origin: Name, zone: Zone) -> bool:
    return origin != zone.origin and is_within(origin, zone.origin)


def _visible(zone: Zone, children: list[Name]) -> Mapping[Name, Node]:
    """Leave out what a cut or DNAME hides and what is another zone's."""
    if not zone.hides and not children:
        return zone.names
    apart = frozenset(children)
    return {
        name: node
        for name, node in zone.names.items()
        if name not in apart and not zone.hidden(name) and not _below_any(name, apart)
    }


def _below_any(name: Name, origins: frozenset[Name]) -> bool:
    return bool(origins) and any(a in origins for a in ancestors(name) if a != ROOT)
