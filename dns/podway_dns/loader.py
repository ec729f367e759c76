"""The loader's part of podway-dns: follows objects and files, and hands out zones."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from podway_cluster.load import load
from podway_cluster.snapshot import Snapshot as Objects
from podway_cluster.source import DirectorySource
from podway_dns import names
from podway_dns.options import listeners, own_addresses, read_server
from podway_dns.sources import serials
from podway_dns.sources.apex import NS_LABEL, Server
from podway_dns.sources.build import Built, Settings, Sources
from podway_dns.sources.build import build as build_zones
from podway_dns.sources.files import Files
from podway_proxy.process.daemon import CannotStart
from podway_proxy.process.spec import Compiled, Json


class Loader:
    """The app of the loader process."""

    def __init__(self, options: Mapping[str, Any], state: bytes | None) -> None:
        held = json.loads(state) if state else {}
        self._options = options
        self._settings = settings(options)
        self._directories = [Path(one) for one in options["manifests"]]
        self._held = bytes.fromhex(held["objects"]) if held.get("objects") else None
        self._marks = serials.restore(held.get("marks"))
        self._files = Files(options["zone_file"], options["txt_file"], held.get("zones"))
        self._source = DirectorySource(self._directories, self._held)
        self._objects: Objects | None = None
        self._changed = asyncio.Event()
        self._built: Built | None = None

    async def snapshots(self) -> AsyncIterator[Built]:
        """Give the zones once all is read, then after each change."""
        # Threads, because reading 100,000 names takes seconds and the admin port must answer.
        await asyncio.to_thread(self._files.read)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_objects(), name="follow the objects")
            group.create_task(self._follow_files(), name="follow the files")
            while True:
                await self._changed.wait()
                self._changed.clear()
                if self._objects is not None:
                    yield await asyncio.to_thread(self._build, self._objects)

    async def _follow_objects(self) -> None:
        async for objects in self._source.snapshots():
            self._objects = objects
            self._changed.set()

    async def _follow_files(self) -> None:
        async for _ in self._files.changes():
            self._changed.set()

    def _build(self, objects: Objects) -> Built:
        sources = Sources(objects, self._files.zones(), self._files.texts, self._files.problems())
        built = build_zones(sources, self._settings, self._marks, int(time.time()))
        self._marks = dict(built.marks)
        self._built = built
        return built

    def compile(self, snapshot: Built) -> Compiled:
        """Add the listeners to the zones' entries."""
        return Compiled(
            snapshot.entries,
            listeners(self._options),
            problems=snapshot.problems,
            ready=bool(snapshot.zones),
            why="" if snapshot.zones else "there is no zone: no DNS object, no --zone, no file",
        )

    def state(self) -> bytes | None:
        """Give last-good objects and zones, and the serials."""
        objects = self._source.held()
        held = {
            "objects": objects.hex() if objects else "",
            "marks": self._marks,
            "zones": self._files.held(),
        }
        return json.dumps(held).encode()

    def debug(self) -> Mapping[str, Callable[[], Json]]:
        """Give `/debug/zones`."""
        return {"zones": self._zones}

    def _zones(self) -> Json:
        marks = self._built.marks if self._built else {}
        return {zone: {"serial": mark.serial} for zone, mark in marks.items()}

    def check(self) -> Sequence[str]:
        """Load once; give what is wrong."""
        self._files.read()
        compiled = self.compile(self._build(load(self._directories, self._held)))
        return [*compiled.problems, *([] if compiled.ready else [compiled.why])]


def build(options: dict[str, Any], state: bytes | None) -> Loader:
    """Make the app of a loader process; `state` is what its predecessor held."""
    return Loader(options, state)


def settings(options: Mapping[str, Any]) -> Settings:
    """Read what the options say about zones. Raises CannotStart."""
    try:
        own = Server(NS_LABEL, tuple(own_addresses(options)))
        for text in options["ns"]:
            names.from_text(read_server(text).name)
        return Settings(
            zones=tuple(names.absolute(zone) for zone in options["zone"]),
            cluster=names.absolute(options["cluster_domain"])
            if options["cluster_domain"]
            else None,
            pods=options["pod_names"],
            address_zones=tuple(names.absolute(zone) for zone in options["ip_names"]),
            servers=tuple(Server(*read_server(text)) for text in options["ns"]) or (own,),
        )
    except names.BadNameError as error:
        raise CannotStart(f"{error}: expected a domain name") from None
