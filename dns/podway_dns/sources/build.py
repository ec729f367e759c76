"""All sources put together: the zones that are served, with serials, and what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import NamedTuple

from podway_cluster.problem import Problem
from podway_cluster.snapshot import Snapshot as Objects
from podway_dns import entries, names
from podway_dns.names import Name
from podway_dns.records import PTR, TXT
from podway_dns.sources import apex, cluster, records, serials, trap, txtfile
from podway_dns.sources.apex import Server
from podway_dns.sources.serials import Mark
from podway_dns.sources.zonedata import ConflictError, ZoneData, closest


class Settings(NamedTuple):
    """What the options say about zones."""

    zones: tuple[Name, ...] = ()
    """Zones besides the DNS object's base domain (`--zone`)."""
    cluster: Name | None = None
    """The cluster domain; None: its names are not served."""
    pods: bool = False
    address_zones: tuple[Name, ...] = ()
    """Zones whose names spell addresses (`--ip-names`)."""
    servers: tuple[Server, ...] = ()


class Sources(NamedTuple):
    """One moment's input."""

    objects: Objects
    files: tuple[ZoneData, ...] = ()
    texts: txtfile.Texts = txtfile.Texts()
    problems: tuple[Problem, ...] = ()
    """What the readers of files found."""


class Built(NamedTuple):
    """The zones, ready to be sent."""

    entries: Mapping[str, str]
    marks: Mapping[str, Mark]
    problems: tuple[str, ...]
    zones: tuple[Name, ...]


def build(sources: Sources, settings: Settings, marks: Mapping[str, Mark], now: int) -> Built:
    """Put the zones together; `marks` are the serials given out last, `now` is Unix time."""
    zones = {zone.origin: zone.copy() for zone in sources.files}
    problems = [*sources.objects.problems, *sources.problems, *sources.texts.problems]
    for zone in _generated(sources.objects, settings):
        zones.setdefault(zone.origin, zone)
    written = {owner for zone in zones.values() for owner in zone.records}
    problems += records.add_records(zones, sources.objects.dns_records)
    problems += _add_texts(zones, sources.texts)
    for zone in zones.values():
        trap.close(
            zone, [o for o, sets in zone.records.items() if TXT in sets and o not in written]
        )
    _add_cluster(zones, sources.objects, settings)
    made: dict[str, str] = {}
    new_marks: dict[str, Mark] = {}
    for zone in zones.values():
        text = names.to_text(zone.origin)
        made |= _finish(zone, settings, marks.get(text), now, new_marks)
    return Built(made, new_marks, tuple(str(each) for each in problems), tuple(zones))


def _generated(objects: Objects, settings: Settings) -> Iterator[ZoneData]:
    """Yield the zones that no file holds, still without records."""
    for dns in objects.dns.values():
        if dns.base_domain:
            yield ZoneData(names.absolute(dns.base_domain), why=dns.meta.label)
    for origin in settings.zones:
        yield ZoneData(origin, why="--zone")
    if settings.cluster is not None:
        yield ZoneData(settings.cluster, why="--cluster-domain")
    for origin in settings.address_zones:
        yield ZoneData(origin, kind=entries.ADDRESS, why="--ip-names")


def _add_texts(zones: Mapping[Name, ZoneData], texts: txtfile.Texts) -> Iterator[Problem]:
    for owner, rdata in texts.records:
        zone = closest(zones, owner)
        text = names.to_text(owner)
        if zone is None:
            yield Problem("--txt-file", 1, "", "", text, "", "is in no zone that is served")
            continue
        try:
            zone.add(owner, TXT, txtfile.TTL, [rdata])
        except ConflictError as error:
            yield Problem("--txt-file", 1, "", "", text, "", str(error))


def _add_cluster(zones: dict[Name, ZoneData], objects: Objects, settings: Settings) -> None:
    """Add the cluster's names, and a reverse zone for each address that has no zone yet."""
    if settings.cluster is None:
        return
    for line in cluster.lines(objects, settings.cluster, pods=settings.pods):
        zone = closest(zones, line.owner)
        if zone is None and line.rtype == PTR:
            zone = zones[line.owner] = ZoneData(line.owner, why="address of a Service")
        if zone is not None:
            _add(zone, line)


def _add(zone: ZoneData, line: cluster.Line) -> None:
    try:
        zone.add(line.owner, line.rtype, line.ttl, [line.rdata])
    except ConflictError:
        # A zone file or a DNSRecord says otherwise, and what people wrote goes before what is
        # derived from Services.
        return


def _finish(
    zone: ZoneData, settings: Settings, mark: Mark | None, now: int, marks: dict[str, Mark]
) -> dict[str, str]:
    """Give the zone's entries; its serial moves when anything else in it did."""
    apex.complete(zone, settings.servers, 0)
    made = entries.encode(zone.origin, zone.sets(), zone.kind)
    new = serials.advance(mark, _digest(made.items()), zone.base_serial, now)
    marks[names.to_text(zone.origin)] = new
    apex.complete(zone, settings.servers, new.serial)
    return made | entries.encode(zone.origin, zone.sets_at(zone.origin), zone.kind)


def _digest(items: Iterable[tuple[str, str]]) -> str:
    digest = blake2b(digest_size=16)
    for key, value in sorted(items):
        digest.update(f"{key}\0{value}\n".encode())
    return digest.hexdigest()
