"""From a name and a type to what is to be said about them: RFC 1034 4.3.2, 4592, 6672, 2308.

Pure: values in, a `Result` out. How it is put on the wire is `packing`'s and `slow`'s concern.
"""

from __future__ import annotations

from typing import NamedTuple

from podway_dns.names import MAX_NAME, ROOT, STAR, Name, is_within
from podway_dns.records import (
    AAAA,
    ANY,
    CNAME,
    DS,
    NOERROR,
    NXDOMAIN,
    REFUSED,
    YXDOMAIN,
    A,
    RRset,
    target,
    targets,
)
from podway_dns.zone import Node, Sets, Snapshot, Zone

Owned = tuple[Name, RRset]
"""An RRset under the owner name that the answer gives it."""

MAX_CHAIN = 16
"""Most CNAMEs followed for one answer; nobody's resolver follows more."""


class Result(NamedTuple):
    """What an answer says."""

    rcode: int
    authoritative: bool = True
    answer: tuple[Owned, ...] = ()
    authority: tuple[Owned, ...] = ()
    additional: tuple[Owned, ...] = ()


OUTSIDE = Result(REFUSED, authoritative=False)
"""Nothing of ours (RFC 8499 "Lame delegation": say so, and nothing else)."""


class Match(NamedTuple):
    """Where the search for one name ended."""

    encloser: Name
    """The closest encloser: the name itself where it exists (RFC 4592 section 3.3.1)."""
    node: Node
    """What the closest encloser owns."""
    source: Node | None
    """What answers for the name: its own node, or the wildcard's; None: it does not exist."""


def match(snapshot: Snapshot, name: Name) -> Match | None:
    """Find a name's node or its closest encloser and wildcard; None if it is in no zone."""
    index = snapshot.index
    node = index.get(name)
    if node is not None:
        return Match(name, node, node)
    encloser = name
    while encloser != ROOT:
        encloser = encloser[1 + encloser[0] :]
        node = index.get(encloser)
        if node is not None:
            source = index.get(STAR + encloser) if not (node.cut or node.dname) else None
            return Match(encloser, node, source)
    return None


def lookup(snapshot: Snapshot, name: Name, rtype: int) -> Result:
    """Answer for `name` (lower case) and a data type or ANY."""
    if rtype == DS and (above := _at_parent(snapshot, name)) is not None:
        return above
    return _Search(snapshot, rtype).run(name)


def _at_parent(snapshot: Snapshot, name: Name) -> Result | None:
    """Answer DS at a delegation: the one type that the parent holds (RFC 4035 3.1.4.1)."""
    zone = snapshot.zone_of(name, DS)
    node = zone.names.get(name) if zone else None
    if zone is None or node is None or node.cut is None or zone.hidden(name):
        return None
    rrset = node.get(DS)
    return Result(NOERROR, answer=((name, rrset),)) if rrset else _negative(zone, NOERROR)


def _negative(zone: Zone, rcode: int, answer: tuple[Owned, ...] = ()) -> Result:
    soa = ((zone.origin, zone.negative),) if zone.negative else ()
    return Result(rcode, answer=answer, authority=soa)


class _Search:
    """One look-up with its CNAMEs so far."""

    __slots__ = ("answer", "rtype", "seen", "snapshot")

    def __init__(self, snapshot: Snapshot, rtype: int) -> None:
        self.snapshot = snapshot
        self.rtype = rtype
        self.answer: tuple[Owned, ...] = ()
        self.seen: set[Name] = set()

    def run(self, name: Name) -> Result:
        found = match(self.snapshot, name)
        if found is None:
            return OUTSIDE
        origin = found.node.origin
        while True:
            if len(self.seen) >= MAX_CHAIN or name in self.seen or not is_within(name, origin):
                return Result(NOERROR, answer=self.answer)
            self.seen.add(name)
            found = match(self.snapshot, name)
            if found is None or found.node.origin != origin:
                return Result(NOERROR, answer=self.answer)
            step = self._step(name, found)
            if isinstance(step, Result):
                return step
            name = step

    def _step(self, name: Name, found: Match) -> Result | Name:
        """Give the final result, or the name at which to go on."""
        node, source = found.node, found.source
        if node.cut is not None:
            return self._referral(found.encloser, node.cut, node.origin)
        if node.dname is not None and source is not node:
            return self._dname(name, found.encloser, node.dname)
        zone = self.snapshot.zones[node.origin]
        if source is None:
            return self._missing(name, zone)
        if source.cname is not None and self.rtype not in (CNAME, ANY):
            self.answer += ((name, source.cname),)
            return target(source.cname)
        sets = self._asked(source)
        if not sets:
            return _negative(zone, NOERROR, self.answer)
        return Result(NOERROR, answer=self.answer + tuple((name, rrset) for rrset in sets))

    def _asked(self, node: Node) -> Sets:
        if self.rtype == ANY:
            return node.sets
        rrset = node.get(self.rtype)
        return (rrset,) if rrset else ()

    def _missing(self, name: Name, zone: Zone) -> Result:
        """Answer for a name that is not in the zone: an address name, or NXDOMAIN."""
        if zone.address_names:
            from podway_dns.addresses import address_rrset  # its patterns take 2 ms to compile

            spelled = address_rrset(name, zone.origin)
            if spelled is not None:
                return self._spelled(name, zone, spelled)
        return _negative(zone, NXDOMAIN, self.answer)

    def _spelled(self, name: Name, zone: Zone, spelled: tuple[RRset, ...]) -> Result:
        wanted = tuple(
            (name, rrset)
            for rrset in spelled
            if self.rtype == rrset.rtype or (self.rtype == ANY and rrset.rtype in (A, AAAA))
        )
        if not wanted:
            return _negative(zone, NOERROR, self.answer)
        return Result(NOERROR, answer=self.answer + wanted)

    def _dname(self, name: Name, owner: Name, dname: RRset) -> Result | Name:
        """Redirect what is below a DNAME (RFC 6672 section 3.2)."""
        self.answer += ((owner, dname),)
        renamed = name[: len(name) - len(owner)] + target(dname)
        if len(renamed) > MAX_NAME:
            return Result(YXDOMAIN, answer=self.answer)
        synthesised = RRset(CNAME, dname.ttl, (renamed,))
        self.answer += ((name, synthesised),)
        # A DNAME that leads below itself would be followed until the name is too long, and the
        # answer too big for UDP; whoever asks gets one step, as NSD gives it.
        if self.rtype == CNAME or is_within(renamed, owner):
            return Result(NOERROR, answer=self.answer)
        return renamed

    def _referral(self, cut: Name, delegation: RRset, origin: Name) -> Result:
        """Point to the servers of the zone below (RFC 1034 4.3.2 step 3b), with their glue."""
        glue = _glue(self.snapshot.zones[origin], delegation)
        return Result(
            NOERROR,
            authoritative=bool(self.answer),
            answer=self.answer,
            authority=((cut, delegation),),
            additional=glue,
        )


def _glue(zone: Zone, delegation: RRset) -> tuple[Owned, ...]:
    """Give the addresses that the zone holds for a delegation's servers."""
    return tuple(
        (host, rrset)
        for host in dict.fromkeys(targets(delegation))
        if is_within(host, zone.origin) and (node := zone.names.get(host)) is not None
        for rrset in node.sets
        if rrset.rtype in (A, AAAA)
    )
