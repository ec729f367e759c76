"""Zones for the dns tests: from text by our own loader, and drawn at random by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from podway_dns import names
from podway_dns.records import RRset, soa_rdata, txt_rdata
from podway_dns.zone import Snapshot, Zone

LABELS = ["a", "b", "c", "*", "w", "x-1"]
TYPES = [1, 28, 16, 5, 2, 39, 15]


def soa(origin: bytes, serial: int = 1, ttl: int = 300, minimum: int = 60) -> RRset:
    rdata = soa_rdata(b"\2ns" + origin, b"\2hm" + origin, serial, (3600, 600, 86400, minimum))
    return RRset(6, ttl, (rdata,))


def zone(origin: str, records: dict[str, list[tuple[int, list[bytes]]]], **options: bool) -> Zone:
    """Make a zone from relative owners; the SOA is added."""
    apex = names.from_text(origin)
    made = {
        names.from_text(owner, apex): tuple(RRset(rtype, 30, data) for rtype, data in sets)
        for owner, sets in records.items()
    }
    made[apex] = (*made.get(apex, ()), soa(apex))
    return Zone(apex, made, **options)


def relative(depth: int = 3) -> st.SearchStrategy[str]:
    """Draw a name below the apex; few labels, so that names meet."""
    return st.lists(st.sampled_from(LABELS), min_size=0, max_size=depth).map(
        lambda parts: ".".join(parts) or "@"
    )


def _rdata(rtype: int, number: int, target: bytes) -> bytes:
    if rtype == 1:
        return bytes((10, 0, 0, number))
    if rtype == 28:
        return bytes(15) + bytes((number,))
    if rtype == 16:
        return txt_rdata(b"t" * number)
    return (bytes((0, number)) + target) if rtype == 15 else target


@st.composite
def zones(draw: st.DrawFn, origin: str = "t.") -> Zone:
    """Draw a zone with wildcards, chains, loops, DNAMEs, cuts and empty non-terminals."""
    apex = names.from_text(origin)
    targets = st.one_of(relative(), st.just("out.example."))
    records: dict[str, list[tuple[int, list[bytes]]]] = {}
    for owner in draw(st.lists(relative(), max_size=8, unique=True)):
        kind = draw(st.sampled_from(TYPES))
        if kind in (5, 39, 2) and owner == "@":
            kind = 1
        count = 1 if kind in (5, 39) else draw(st.integers(1, 3))
        data = [_rdata(kind, n + 1, names.from_text(draw(targets), apex)) for n in range(count)]
        records[owner] = [(kind, list(dict.fromkeys(data)))]
    return zone(origin, records)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Draw one or two zones, the second below the first."""
    first = draw(zones())
    if not draw(st.booleans()):
        return Snapshot([first])
    return Snapshot([first, draw(zones("b.t."))])


def query(name: bytes, rtype: int, *, rd: int = 1, opt: bytes = b"", qid: int = 7) -> bytes:
    """Build a query's bytes; `opt` is the whole additional section (one record)."""
    counts = b"\0\1\0\0\0\0" + (b"\0\1" if opt else b"\0\0")
    return (
        qid.to_bytes(2, "big")
        + bytes((rd, 0))
        + counts
        + name
        + rtype.to_bytes(2, "big")
        + b"\0\1"
        + opt
    )


def opt(size: int = 1232, *, do: bool = False, version: int = 0, options: bytes = b"") -> bytes:
    flags = bytes((0, version, 0x80 if do else 0, 0))
    return b"\0\0\x29" + size.to_bytes(2, "big") + flags + len(options).to_bytes(2, "big") + options
