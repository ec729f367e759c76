"""A zone while it is put together from several sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from podway_dns import names
from podway_dns.names import Name
from podway_dns.records import CNAME, RRset, type_name
from podway_dns.zone import Sets


class ConflictError(ValueError):
    """The record can't stand beside what is there; the message says why."""


class ZoneData:
    """One zone's RRsets by owner and type; `base_serial` is the file's, 0 without a file."""

    def __init__(self, origin: Name, *, kind: str = "", why: str = "") -> None:
        self.origin = origin
        self.kind = kind
        """"address" where names spell addresses (`entries.ADDRESS`)."""
        self.why = why
        """Which object, file or option it comes from."""
        self.base_serial = 0
        self.records: dict[Name, dict[int, RRset]] = {}

    def copy(self) -> ZoneData:
        """Give one that can be added to without changing this one."""
        made = ZoneData(self.origin, kind=self.kind, why=self.why)
        made.base_serial = self.base_serial
        made.records = dict(self.records)
        return made

    def add(self, owner: Name, rtype: int, ttl: int, rdatas: Iterable[bytes]) -> None:
        """Add records; those of one RRset share the lowest TTL (RFC 2181 section 5.2).

        Raises ConflictError for a CNAME beside other data (RFC 2181 section 10.1).
        """
        sets = dict(self.records.get(owner, {}))
        old = sets.get(rtype)
        data = tuple(dict.fromkeys((*(old.rdatas if old else ()), *rdatas)))
        self._check(owner, rtype, data, sets)
        sets[rtype] = RRset(rtype, min(ttl, old.ttl) if old else ttl, data)
        self.records[owner] = sets

    def _check(
        self, owner: Name, rtype: int, data: tuple[bytes, ...], sets: Mapping[int, RRset]
    ) -> None:
        text = names.to_text(owner)
        if rtype == CNAME and len(data) > 1:
            raise ConflictError(f"{text} has two CNAME targets; a name has at most one")
        others = [type_name(other) for other in sets if other != rtype]
        if others and (rtype == CNAME or CNAME in sets):
            raise ConflictError(
                f"{text} can't have {type_name(rtype)} beside {', '.join(others)}: a CNAME "
                "stands alone (RFC 2181 section 10.1)"
            )

    def sets(self) -> dict[Name, Sets]:
        """Give what `Zone` and `entries.encode` take."""
        return {owner: tuple(sets.values()) for owner, sets in self.records.items()}

    def sets_at(self, owner: Name) -> dict[Name, Sets]:
        """Give one owner's part of it."""
        return {owner: tuple(self.records.get(owner, {}).values())}


def closest(zones: Mapping[Name, ZoneData], name: Name) -> ZoneData | None:
    """Find the zone with the longest match."""
    if name in zones:
        return zones[name]
    return next((zones[a] for a in names.ancestors(name) if a in zones), None)
