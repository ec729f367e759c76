"""Zones as the loader sends them to the workers: one text entry per name. Pure, both ways.

    zone/lab.example.test.            ""  (or "address": its names spell addresses)
    rr/lab.example.test./*.apps       "1 30 7f000201,7f000202"
    secret                            the key of the server cookies, in hex

A value holds RRsets, separated by `;`: type, TTL in seconds, RDATA in hex. One entry per name
makes what a change sends as small as the change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from podway_dns import names
from podway_dns.names import Name
from podway_dns.records import RRset
from podway_dns.zone import Sets, Snapshot, Zone

SECRET = "secret"  # noqa: S105 - the entry's key, not its value
ADDRESS = "address"


def encode(origin: Name, records: Mapping[Name, Sets], kind: str = "") -> dict[str, str]:
    """Give a zone's entries."""
    zone = names.to_text(origin)
    entries = {f"zone/{zone}": kind}
    for owner, sets in records.items():
        if sets:
            entries[f"rr/{zone}/{_relative(owner, origin)}"] = _value(sets)
    return entries


def _relative(owner: Name, origin: Name) -> str:
    if owner == origin:
        return "@"
    return names.to_text(owner[: len(owner) - len(origin)] + names.ROOT)[:-1]


def _value(sets: Iterable[RRset]) -> str:
    return ";".join(
        f"{rrset.rtype} {rrset.ttl} " + ",".join(rdata.hex() for rdata in rrset.rdatas)
        for rrset in sets
    )


def decode(value: str | None) -> Sets:
    """Give the RRsets of one entry; none for an entry that is gone."""
    if value is None:
        return ()
    return tuple(_rrset(*part.split(" ")) for part in value.split(";"))


def _rrset(rtype: str, ttl: str, rdatas: str) -> RRset:
    return RRset(int(rtype), int(ttl), map(bytes.fromhex, rdatas.split(",")))


class Update:
    """A new snapshot in the making, in small steps, so that queries are answered in between.

    `step()` does a bounded piece of work and tells whether more is left; then `snapshot` is the
    new one. What did not change is shared with `base`.
    """

    STEP = 512
    """Names decoded per step: about 2 ms."""

    def __init__(
        self, base: Snapshot | None, entries: Mapping[str, str], changed: Collection[str]
    ) -> None:
        self._zones = dict(base.zones) if base else {}
        self._entries = entries
        self._todo = [key for key in changed if key.startswith("rr/")]
        self._records: dict[str, dict[Name, Sets]] = {}
        for key in changed:
            if key.startswith("zone/"):
                self._records.setdefault(key[5:], {})
        self.snapshot = base

    def step(self) -> bool:
        """Do a piece; True while more is left."""
        for key in self._todo[-self.STEP :]:
            _, zone, owner = key.split("/", 2)
            name = names.from_text(owner, names.from_text(zone))
            self._records.setdefault(zone, {})[name] = decode(self._entries.get(key))
        del self._todo[-self.STEP :]
        if self._todo:
            return True
        self.snapshot = self._finish()
        return False

    def _finish(self) -> Snapshot:
        for text, records in self._records.items():
            self._renew(text, names.from_text(text), records)
        return Snapshot(self._zones.values())

    def _renew(self, text: str, origin: Name, records: Mapping[Name, Sets]) -> None:
        kind = self._entries.get(f"zone/{text}")
        old = self._zones.pop(origin, None)
        if kind is None:
            return
        address = kind == ADDRESS
        if old is not None and old.address_names == address:
            self._zones[origin] = old.changed(records)
        else:
            self._zones[origin] = Zone(origin, records, address_names=address)


def update(base: Snapshot | None, entries: Mapping[str, str], changed: Collection[str]) -> Snapshot:
    """Make the new snapshot at once."""
    work = Update(base, entries, changed)
    while work.step():
        pass
    assert work.snapshot is not None  # noqa: S101 - step() has finished
    return work.snapshot
