"""What makes a zone file's data unfit to be served. Pure."""

from __future__ import annotations

from podway_dns import names
from podway_dns.names import Name
from podway_dns.records import (
    CNAME,
    DNAME,
    DNSKEY,
    DS,
    NS,
    NSEC,
    NSEC3,
    NSEC3PARAM,
    RRSIG,
    SOA,
    type_name,
)  # fmt: skip
from podway_dns.sources.zonedata import ZoneData

_SIGNED = frozenset({RRSIG, NSEC, NSEC3, NSEC3PARAM, DNSKEY})


class ZoneError(Exception):
    """The file can't be served; the message says why, `file` and `line` where."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(message)
        self.file, self.line = file, line


def check(zone: ZoneData, file: str) -> None:
    """Raise ZoneError for the first thing that is wrong with the zone as a whole."""
    apex = zone.records[zone.origin]
    if NS not in apex:
        raise ZoneError(file, 1, f"{names.to_text(zone.origin)} has no NS record")
    if len(apex[SOA].rdatas) > 1:
        raise ZoneError(file, 1, f"{names.to_text(zone.origin)} has two SOA records")
    for owner, sets in zone.records.items():
        for rtype in sets:
            message = _wrong(zone.origin, owner, rtype, NS in sets)
            if message:
                raise ZoneError(file, 1, f"{names.to_text(owner)} {type_name(rtype)}: {message}")


def _wrong(origin: Name, owner: Name, rtype: int, delegated: bool) -> str:
    """Say what is wrong with one RRset, or nothing."""
    if not names.is_within(owner, origin):
        return f"is outside the zone {names.to_text(origin)}"
    if rtype in _SIGNED:
        return "signed zones are not served (podway-dns does no DNSSEC)"
    if owner != origin and rtype == SOA:
        return "an SOA stands at the zone's apex only"
    if owner == origin and rtype in (CNAME, DS):
        return "can't stand at the zone's apex"
    if rtype == DS and not delegated:
        return "stands only where a delegation (NS) does (RFC 4035 section 2.4)"
    if names.is_wildcard(owner) and rtype in (NS, DNAME):
        return "at a wildcard its meaning is undefined (RFC 4592 section 4.2 and 4.4)"
    return ""
