"""Zone files and the TXT file on disk: read, followed, the last good version kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

from podway_cluster.problem import Problem
from podway_dns import entries, names
from podway_dns.sources import txtfile
from podway_dns.sources.zonedata import ZoneData

DEBOUNCE_MS = 10
STEP_MS = 5
"""How long a burst of changes is waited for: a TXT record must be seen within 50 ms."""


class Files:
    """The files that the options name. `read` looks at them, `changes` says when to look again."""

    def __init__(
        self,
        zone_files: Iterable[str],
        txt_file: str | None,
        held: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._options = tuple(zone_files)
        self._txt = Path(txt_file) if txt_file else None
        self._good = {option: thaw(zone) for option, zone in (held or {}).items()}
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self._parts: dict[str, tuple[Path, ...]] = {}
        self._seen: dict[Path, tuple[int, int]] = {}
        self.texts = txtfile.Texts()

    def read(self) -> None:
        """Read what has changed since the last time."""
        for option in self._options:
            parts = self._parts.get(option, ())
            if not parts or any(_stamp(part) != self._seen.get(part) for part in parts):
                self._read_zone(option)
        if self._txt is not None:
            self.texts = txtfile.load(self._txt)

    def _read_zone(self, option: str) -> None:
        from podway_dns.sources import zonefile  # dnspython takes 60 ms; most have no zone file

        loaded = zonefile.load(option)
        self._parts[option] = loaded.files
        self._seen |= {part: _stamp(part) for part in loaded.files}
        self._problems[option] = loaded.problems
        if loaded.zone is not None:
            self._good[option] = loaded.zone

    def zones(self) -> tuple[ZoneData, ...]:
        """Give the zones: of a file that is bad now, the last good one."""
        return tuple(self._good[option] for option in self._options if option in self._good)

    def problems(self) -> tuple[Problem, ...]:
        """Give what is wrong with the files as they are now."""
        found = [each for problems in self._problems.values() for each in problems]
        first: dict[bytes, ZoneData] = {}
        for zone in self.zones():
            other = first.setdefault(zone.origin, zone)
            if other is not zone:
                text = names.to_text(zone.origin)
                found.append(
                    Problem(zone.why, 1, "zone", "", text, "", f"is also served from {other.why}")
                )
        return tuple(found)

    def held(self) -> dict[str, dict[str, str]]:
        """Give the zones whose files are bad now: the next loader could not read them."""
        bad = [option for option, found in self._problems.items() if found]
        return {option: freeze(self._good[option]) for option in bad if option in self._good}

    async def changes(self) -> AsyncIterator[None]:
        """Yield after each change, when it has been read."""
        from watchfiles import awatch  # only where there is something to watch

        while watched := self._directories():
            async for _ in awatch(*watched, debounce=DEBOUNCE_MS, step=STEP_MS, recursive=False):
                await asyncio.to_thread(self.read)
                yield
                if self._directories() != watched:
                    break

    def _directories(self) -> list[Path]:
        """Give the directories to watch: editors replace files, so files can't be watched."""
        files = [part for parts in self._parts.values() for part in parts]
        files += [self._txt] if self._txt is not None else []
        return sorted({file.parent.resolve() for file in files if file.parent.is_dir()})


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, -1)
    return (found.st_mtime_ns, found.st_size)


def freeze(zone: ZoneData) -> dict[str, str]:
    """Give a zone as the texts that a loader leaves to the next."""
    made = entries.encode(zone.origin, zone.sets())
    return made | {"why": zone.why, "serial": str(zone.base_serial)}


def thaw(texts: Mapping[str, str]) -> ZoneData:
    """Read what `freeze` wrote."""
    zone = ZoneData(names.ROOT, why=texts["why"])
    zone.base_serial = int(texts["serial"])
    for key, value in texts.items():
        kind, _, rest = key.partition("/")
        if kind == "zone":
            zone.origin = names.from_text(rest)
        elif kind == "rr":
            origin, owner = rest.split("/", 1)
            sets = entries.decode(value)
            name = names.from_text(owner, names.from_text(origin))
            zone.records[name] = {rrset.rtype: rrset for rrset in sets}
    return zone
