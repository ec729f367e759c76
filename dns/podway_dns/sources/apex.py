"""SOA and NS of the zones that no file gives them to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from podway_dns import names
from podway_dns.names import Name
from podway_dns.records import AAAA, NS, SOA, A, RRset, soa_rdata
from podway_dns.sources.zonedata import ZoneData

TIMERS = (7200, 1800, 86400, 30)
"""SOA refresh, retry, expire and minimum in seconds. The minimum is how long a resolver keeps
NXDOMAIN: as short as a DNSRecord's default TTL (30), so that a new name is seen soon."""
TTL = 300
"""Seconds for SOA and NS."""
NS_LABEL = "ns"
"""The name server of a zone that none is given for: `ns.<zone>`."""


class Server(NamedTuple):
    """A name server of ours, and its addresses where they are known (`--ns`)."""

    name: str
    """Absolute with its final dot, or relative to each zone."""
    addresses: tuple[str, ...] = ()


def complete(zone: ZoneData, servers: Sequence[Server], serial: int) -> None:
    """Give the zone what it lacks at its apex: NS (with addresses where they are ours), SOA.

    An SOA from a file keeps all but its serial, which becomes `serial`.
    """
    sets = zone.records.get(zone.origin, {})
    if NS not in sets:
        _add_servers(zone, servers)
    old = zone.records.get(zone.origin, {}).get(SOA)
    if old is None:
        primary = zone.records[zone.origin][NS].rdatas[0]
        rname = b"\x0ahostmaster" + zone.origin
        soa = RRset(SOA, TTL, (soa_rdata(primary, rname, serial, TIMERS),))
    else:
        soa = RRset(SOA, old.ttl, (_with_serial(old.rdatas[0], serial),))
    rest = {rtype: one for rtype, one in zone.records[zone.origin].items() if rtype != SOA}
    zone.records[zone.origin] = {SOA: soa, **rest}


def _with_serial(rdata: bytes, serial: int) -> bytes:
    return rdata[:-20] + (serial & 0xFFFFFFFF).to_bytes(4, "big") + rdata[-16:]


def serial_of(zone: ZoneData) -> int:
    """Give the serial of the SOA that the zone's file holds, 0 without one."""
    soa = zone.records.get(zone.origin, {}).get(SOA)
    return int.from_bytes(soa.rdatas[0][-20:-16], "big") if soa else 0


def _add_servers(zone: ZoneData, servers: Sequence[Server]) -> None:
    for server in servers or (Server(NS_LABEL),):
        name = names.from_text(server.name, zone.origin)
        zone.add(zone.origin, NS, TTL, [name])
        if names.is_within(name, zone.origin):
            _add_addresses(zone, name, server.addresses)


def _add_addresses(zone: ZoneData, name: Name, addresses: Sequence[str]) -> None:
    """Add a server's addresses, unless the objects gave it some (or an alias)."""
    if zone.records.get(name):
        return
    for text in addresses:
        address = ip_address(text)
        zone.add(name, A if address.version == 4 else AAAA, TTL, [address.packed])
