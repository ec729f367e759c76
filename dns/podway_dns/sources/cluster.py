"""The cluster's own names: Kubernetes DNS specification 1.1.0. Pure.

A Service with addresses: A/AAAA, SRV per named port, PTR. A headless one: a name per ready
endpoint as well. ExternalName: CNAME. `--pod-names` adds `10-0-0-1.<namespace>.pod.<zone>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from podway_cluster.model import Service
from podway_cluster.snapshot import Snapshot
from podway_dns import names
from podway_dns.names import Name
from podway_dns.records import AAAA, CNAME, PTR, SRV, TXT, A, txt_rdata
from podway_dns.sources.backends import Backend, backends

TTL = 5
"""Seconds; what the cluster's own DNS gives, since pods come and go."""
VERSION = txt_rdata(b"1.1.0")
VERSION_TTL = 28_800
"""Seconds, as in the specification's section 2.2."""
PRIORITY, WEIGHT = 0, 100


class Line(NamedTuple):
    """One record."""

    owner: Name
    rtype: int
    ttl: int
    rdata: bytes


def lines(snapshot: Snapshot, zone: Name, *, pods: bool) -> Iterator[Line]:
    """Yield all records of the cluster domain `zone`, PTR (in the reverse zones) included."""
    yield Line(names.from_labels([b"dns-version"], zone), TXT, VERSION_TTL, VERSION)
    for service in snapshot.services.values():
        base = _base(service, zone)
        if base is None:
            continue
        if service.type == "ExternalName":
            yield from _external(service, base)
        elif service.headless:
            yield from _headless(service, backends(snapshot, service), base)
        else:
            yield from _with_address(service, base)
    if pods:
        yield from _pods(snapshot, zone)


def _base(service: Service, zone: Name) -> Name | None:
    """Give `<service>.<namespace>.svc.<zone>`; None where the names are no labels."""
    try:
        parts = [_label(service.meta.name), _label(service.meta.namespace), b"svc"]
    except names.BadNameError:
        return None
    return names.from_labels(parts, zone)


def _label(text: str) -> bytes:
    wire = names.absolute(text)
    if 1 + wire[0] + 1 != len(wire):
        raise names.BadNameError(f"{text!r} is not one label")
    return wire[1:-1]


def _external(service: Service, base: Name) -> Iterator[Line]:
    try:
        target = names.absolute(service.external_name)
    except names.BadNameError:
        return
    if target != names.ROOT:
        yield Line(base, CNAME, TTL, target)


def _with_address(service: Service, base: Name) -> Iterator[Line]:
    """Section 2.3: a Service with ClusterIPs."""
    addresses = list(_addresses(service.cluster_ips))
    for packed in addresses:
        yield _address(base, packed)
        yield Line(reverse(packed), PTR, TTL, base)
    for port in service.ports if addresses else ():
        yield from _srv(base, base, port.name, port.protocol, port.port)


def _headless(service: Service, found: Iterable[Backend], base: Name) -> Iterator[Line]:
    """Section 2.4: names lead to the ready endpoints; none of them, and the name is not there."""
    for backend in found:
        for packed in _addresses(backend.addresses):
            host = names.from_labels([_hostname(backend.hostname, packed)], base)
            yield _address(base, packed)
            yield _address(host, packed)
            yield Line(reverse(packed), PTR, TTL, host)
            for port in backend.ports:
                if port.port is not None:
                    yield from _srv(base, host, port.name, port.protocol, port.port)


def _srv(base: Name, host: Name, name: str, protocol: str, port: int) -> Iterator[Line]:
    """Yield the SRV record of a named port; unnamed ones have none (section 2.3.2)."""
    if 0 < len(name) < names.MAX_LABEL:  # the underscore must fit in, too
        label = [b"_" + name.encode(), b"_" + protocol.lower().encode()]
        numbers = b"".join(number.to_bytes(2, "big") for number in (PRIORITY, WEIGHT, port))
        yield Line(names.from_labels(label, base), SRV, TTL, numbers + host)


def _pods(snapshot: Snapshot, zone: Name) -> Iterator[Line]:
    for pod in snapshot.pods.values():
        base = names.from_labels([pod.meta.namespace.encode(), b"pod"], zone)
        for packed in _addresses(pod.pod_ips):
            yield _address(names.from_labels([_dashed(packed)], base), packed)


def _addresses(texts: Iterable[str]) -> Iterator[bytes]:
    """Yield packed addresses; `None` and what is no address (FQDN slices) is left out."""
    for text in texts:
        try:
            yield ip_address(text).packed
        except ValueError:
            continue


def _address(owner: Name, packed: bytes) -> Line:
    return Line(owner, A if len(packed) == 4 else AAAA, TTL, packed)


def _hostname(text: str, packed: bytes) -> bytes:
    """Give an endpoint's host name as a label; where it has none, its address spelled as one."""
    try:
        return _label(text) if text else _dashed(packed)
    except names.BadNameError:
        return _dashed(packed)


def _dashed(packed: bytes) -> bytes:
    """Spell an address as one label: the identifier of an endpoint without a host name."""
    return str(ip_address(packed)).replace(".", "-").replace(":", "-").encode()


def reverse(packed: bytes) -> Name:
    """Give the name of an address in `in-addr.arpa` or `ip6.arpa` (RFC 1035 3.5, 3596 2.5)."""
    return names.absolute(ip_address(packed).reverse_pointer)
