"""Which endpoints are checked, how often, and how. Pure.

Those of Routes that have several to choose from: a TCP connect, and where the Route is reencrypt
the TLS handshake with its verification. What is down is down for all Routes, so where two ask for
the same endpoint in different ways, only the connect is checked, and the shorter interval counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from podway_proxy.process.spec import Json, ProbeSpec, TlsSpec
from podway_proxy.values import Address
from podway_router.admission import Key
from podway_router.entry import CA, RouteEntry
from podway_router.part import Part
from podway_router.status import RouteStatus


class Checked(NamedTuple):
    """What one Route wants to be checked."""

    interval: float = 0.0
    endpoints: tuple[tuple[str, int, str, int], ...] = ()
    server_name: str = ""
    """Reencrypt: as in its entry, like the two below."""
    ca: str = ""
    pod_names: tuple[str, ...] = ()


def same_probes(
    before: Iterable[Part], parts: Iterable[Part], redone: Iterable[Collection[Key]]
) -> bool:
    """Tell whether the Routes that were compiled anew want the checks that they wanted."""
    known = {part.controller.meta.name: part.statuses for part in before}
    return all(
        _checked(part, part.statuses.get(key))
        == _checked(part, known.get(part.controller.meta.name, {}).get(key))
        for part, keys in zip(parts, redone, strict=True)
        for key in keys
    )


def all_probes(parts: Iterable[Part], entries: Mapping[str, Json]) -> tuple[ProbeSpec, ...]:
    """Give one check per endpoint; `entries` has the CAs."""
    probes: dict[Address, ProbeSpec] = {}
    for part in parts:
        for status in part.statuses.values():
            checked = _checked(part, status)
            tls = _tls(checked, entries)
            for host, port, name, _ in checked.endpoints:
                made = ProbeSpec(host, port, interval=checked.interval, name=name, tls=tls)
                known = probes.get((host, port))
                probes[host, port] = made if known is None else _both(known, made)
    return tuple(probes.values())


def _both(known: ProbeSpec, other: ProbeSpec) -> ProbeSpec:
    tls = known.tls if known.tls == other.tls else None
    return known._replace(interval=min(known.interval, other.interval), tls=tls)


def _checked(part: Part, status: RouteStatus | None) -> Checked:
    """Give a Route's interval and the endpoints that are checked for it.

    Where it has several to choose from: those, and those that cookies lead to.
    """
    if status is None or status.entry is None or len(status.entry.endpoints) < 2:
        return Checked()
    entry: RouteEntry = status.entry
    usual = part.controller.tuning_options.health_check_interval
    return Checked(
        status.wishes.health_interval or usual,
        (*entry.endpoints, *(entry.kept or ())),
        entry.server_name,
        entry.ca,
        tuple(entry.pod_names or ()),
    )


def _tls(checked: Checked, entries: Mapping[str, Json]) -> TlsSpec | None:
    if not checked.server_name:
        return None
    return TlsSpec(checked.server_name, entries.get(CA + checked.ca, ""), checked.pod_names)
