"""The router's loader: follows the directories, compiles, and says what became of each Route."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from podway_cluster import Snapshot
from podway_cluster.load import load
from podway_cluster.source import DirectorySource
from podway_proxy.counters import Counters
from podway_proxy.process.daemon import CannotStart
from podway_proxy.process.metrics import Gauge
from podway_proxy.process.spec import Compiled, Json
from podway_router import shown
from podway_router.compile import Compilation, compile_snapshot
from podway_router.metering.columns import PLACES
from podway_router.metering.exported import OpenShift, own
from podway_router.metering.places import Places
from podway_router.options import Options, read
from podway_router.workshop import Workshop, daily

MOST_SERIES = 100
"""Certificates that are due and have a metric of their own."""


class Loader:
    """The app of the loader process."""

    def __init__(self, options: Options, directories: list[Path], held: bytes | None) -> None:
        self._options = options
        self._directories = directories
        self._held = held
        self._source = DirectorySource(directories, held)
        self._last: Compilation | None = None
        self._workshop = Workshop(options.ca_directory)
        self._counters: Counters | None = None
        self._places: Places | None = None
        self._down: Callable[[], Collection[str]] = tuple
        self._reloads = [0.0, 0.0]
        """How many changes were compiled, and the seconds that took."""

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """Give the first snapshot at once, then one per change."""
        return daily(self._source.snapshots())

    def compile(self, snapshot: Snapshot) -> Compiled:
        """Compile one snapshot. CannotStart: the first one has not what the options ask for."""
        began = time.monotonic()
        compilation = compile_snapshot(
            snapshot, self._options, self._last, self._workshop.material()
        )
        if self._last is None and not compilation.compiled.ready:
            compiled = compilation.compiled
            raise CannotStart(compiled.why, compiled.problems)
        self._last = compilation
        compiled = self._placed(compilation.compiled)
        self._reloads[0] += 1
        self._reloads[1] += time.monotonic() - began
        return compiled

    def _placed(self, compiled: Compiled) -> Compiled:
        """Tell the workers where they count what."""
        if self._places is None:
            return compiled
        places = self._places.settle(compiled.entries)
        return compiled._replace(entries={**compiled.entries, PLACES: dict(places)})

    def count_with(self, counters: Counters, down: Callable[[], Collection[str]]) -> None:
        """Learn of the shared counters, and of what gives the endpoints that are down."""
        options = self._options
        self._counters, self._down = counters, down
        self._places = Places(counters, options.route_metrics, options.openshift_metrics)

    def state(self) -> bytes | None:
        """Give the last-good objects that stand in for bad ones."""
        return self._source.held()

    def debug(self) -> Mapping[str, Callable[[], Json]]:
        """Give `/debug/routes`, `/debug/ingresses` and `/debug/controllers`."""
        return {
            "controllers": lambda: shown.controllers(self._last) if self._last else [],
            "routes": lambda: shown.routes(self._last) if self._last else [],
            "ingresses": lambda: shown.ingresses(self._last) if self._last else [],
        }

    def check(self) -> Sequence[str]:
        """Load once; give what is wrong."""
        snapshot = load(self._directories, self._held)
        compiled = compile_snapshot(
            snapshot, self._options, material=self._workshop.dated()
        ).compiled
        return [*compiled.problems, *([] if compiled.ready else [compiled.why])]

    def gauges(self) -> Iterator[Gauge]:
        """Give metrics of Routes, and the certificates that soon expire."""
        if self._counters is not None and self._places is not None:
            yield from own(self._counters, self._places.taken, self._options.request_metrics)
        expiring = self._last.expiring if self._last else ()
        yield Gauge("certificates_expiring", len(expiring), "Expired, or within 30 days.")
        for label, at in expiring[:MOST_SERIES]:
            name = f"certificate_expiry_timestamp_seconds:object={label}"
            yield Gauge(name, at, "When a certificate that is due expires.")

    def foreign_gauges(self) -> Iterator[Gauge]:
        """Give the OpenShift router's metrics, where they are asked for."""
        if not self._options.openshift_metrics or self._last is None:
            return
        if self._counters is not None and self._places is not None:
            entries = self._last.compiled.entries
            made = OpenShift(self._counters, self._places.taken, entries, self._down())
            yield from made.gauges(self._reloads)


def build(options: dict[str, Any], state: bytes | None) -> Loader:
    """Make the app of a loader process; `state` is what its predecessor held."""
    directories = [Path(one) for one in options["manifests"]]
    return Loader(read(options), directories, state)
