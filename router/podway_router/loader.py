"""The router's loader: follows the directories, compiles, and says what became of each Route."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from podway_cluster import Snapshot
from podway_cluster.load import load
from podway_cluster.source import DirectorySource
from podway_proxy.process.daemon import CannotStart
from podway_proxy.process.metrics import Gauge
from podway_proxy.process.spec import Compiled, Json
from podway_router import shown
from podway_router.compile import Compilation, compile_snapshot
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

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """Give the first snapshot at once, then one per change."""
        return daily(self._source.snapshots())

    def compile(self, snapshot: Snapshot) -> Compiled:
        """Compile one snapshot. CannotStart: the first one has not what the options ask for."""
        compilation = compile_snapshot(
            snapshot, self._options, self._last, self._workshop.material()
        )
        if self._last is None and not compilation.compiled.ready:
            compiled = compilation.compiled
            raise CannotStart(compiled.why, compiled.problems)
        self._last = compilation
        return compilation.compiled

    def state(self) -> bytes | None:
        """Give the last-good objects that stand in for bad ones."""
        return self._source.held()

    def debug(self) -> Mapping[str, Callable[[], Json]]:
        """Give `/debug/routes` and `/debug/ingresses`."""
        return {
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
        """Give the certificates that soon expire, for `/metrics`."""
        expiring = self._last.expiring if self._last else ()
        yield Gauge("certificates_expiring", len(expiring), "Expired, or within 30 days.")
        for label, at in expiring[:MOST_SERIES]:
            name = f"certificate_expiry_timestamp_seconds:object={label}"
            yield Gauge(name, at, "When a certificate that is due expires.")


def build(options: dict[str, Any], state: bytes | None) -> Loader:
    """Make the app of a loader process; `state` is what its predecessor held."""
    directories = [Path(one) for one in options["manifests"]]
    return Loader(read(options), directories, state)
