"""DNSRecord objects: (ingress.operator.openshift.io/v1) → records. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from podway_cluster.model import DNSRecord
from podway_cluster.problem import Problem
from podway_dns import names
from podway_dns.names import Name
from podway_dns.records import AAAA, CNAME, A
from podway_dns.sources.zonedata import ConflictError, ZoneData, closest

TYPES = {"A": A, "AAAA": AAAA, "CNAME": CNAME}
"""What a DNSRecord may hold (openshift/api operatoringress/v1)."""


class Wanted(NamedTuple):
    """Records that an object asks for."""

    owner: Name
    rtype: int
    ttl: int
    rdatas: tuple[bytes, ...]


def add_records(
    zones: Mapping[Name, ZoneData], records: Mapping[tuple[str, str], DNSRecord]
) -> Iterator[Problem]:
    """Put every DNSRecord into the zone that it belongs to; yield what is wrong with others."""
    for record in records.values():
        try:
            wanted = read(record)
        except ValueError as error:
            yield problem(record, _field(error), str(error))
            continue
        zone = closest(zones, wanted.owner)
        if zone is None:
            yield problem(record, "spec.dnsName", _outside(wanted.owner, zones))
            continue
        try:
            zone.add(*wanted)
        except ConflictError as error:
            yield problem(record, "spec.dnsName", str(error))


def read(record: DNSRecord) -> Wanted:
    """Read one DNSRecord. Raises ValueError with a finished message."""
    rtype = TYPES.get(record.record_type)
    if rtype is None:
        raise ValueError(f"recordType {record.record_type!r}: expected A, AAAA or CNAME")
    owner = names.absolute(record.dns_name)
    if not record.targets:
        raise ValueError("targets: expected at least one")
    data = tuple(_rdata(rtype, target) for target in record.targets)
    return Wanted(owner, rtype, record.record_ttl, data)


def _rdata(rtype: int, target: str) -> bytes:
    try:
        if rtype == A:
            return IPv4Address(target).packed
        if rtype == AAAA:
            return IPv6Address(target).packed
    except AddressValueError:
        kind = "an IPv4" if rtype == A else "an IPv6"
        raise ValueError(f"targets: {target!r} is not {kind} address") from None
    return names.absolute(target)


def _field(error: ValueError) -> str:
    if isinstance(error, names.BadNameError):
        return "spec.dnsName"
    return "spec." + str(error).split(":", maxsplit=1)[0].split(" ")[0]


def _outside(owner: Name, zones: Mapping[Name, ZoneData]) -> str:
    served = ", ".join(sorted(names.to_text(zone) for zone in zones)) or "none"
    return (
        f"{names.to_text(owner)} is in no zone that is served ({served}); the base domain is the "
        "DNS object's spec.baseDomain, other zones come from --zone and --zone-file"
    )


def problem(record: DNSRecord, field: str, message: str) -> Problem:
    """Say what is wrong with a DNSRecord."""
    meta = record.meta
    return Problem(
        meta.origin.file, meta.origin.line, meta.kind, meta.namespace, meta.name, field, message
    )
