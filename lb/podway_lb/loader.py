"""The load balancer's loader: follows the directories, compiles, and says what it found."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from podway_cluster import Snapshot
from podway_cluster.load import load
from podway_cluster.source import DirectorySource
from podway_lb.compile import Compilation, Served, compile_snapshot
from podway_lb.options import Options, read
from podway_proxy.process.daemon import CannotStart
from podway_proxy.process.spec import Compiled, Json


class Loader:
    """The app of the loader process."""

    def __init__(self, options: Options, directories: list[Path], held: bytes | None) -> None:
        self._options = options
        self._directories = directories
        self._held = held
        self._source = DirectorySource(directories, held)
        self._last = Compilation(Compiled({}))

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """Give the first snapshot at once, then one per change."""
        return self._source.snapshots()

    def compile(self, snapshot: Snapshot) -> Compiled:
        """Compile one snapshot."""
        self._last = compile_snapshot(snapshot, self._options)
        return self._last.compiled

    def state(self) -> bytes | None:
        """Give the last-good objects that stand in for bad ones."""
        return self._source.held()

    def debug(self) -> Mapping[str, Callable[[], Json]]:
        """Give `/debug/services`."""
        return {"services": lambda: [_shown(one) for one in self._last.served]}

    def check(self) -> Sequence[str]:
        """Load once; give what is wrong."""
        compiled = compile_snapshot(load(self._directories, self._held), self._options).compiled
        return [*compiled.problems, *([] if compiled.ready else [compiled.why])]


def build(options: dict[str, Any], state: bytes | None) -> Loader:
    """Make the app of a loader process; `state` is what its predecessor held.

    CannotStart: no connection could be made from `--source`.
    """
    directories = [Path(one) for one in options["manifests"]]
    wanted = read(options)
    if wanted.source:
        _try_source(wanted.source)
    return Loader(wanted, directories, state)


def _try_source(host: str) -> None:
    """Find out now that an address is not this host's, not with each connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.bind((host, 0))
    except OSError as error:
        what = f"--source {host}: can't connect from there: {error.strerror}"
        advice = "give an address of this host, or leave it away"
        raise CannotStart(f"{what}; {advice}") from None


def _shown(served: Served) -> Json:
    """Give one Service port as `/debug/services` shows it."""
    return {
        "service": "/".join(served.service.meta.key),
        "port": served.port.label,
        "listeners": [f"{spec.host}:{spec.port}" for spec in served.listeners],
        "endpoints": [f"{one.host}:{one.port}" for one in served.endpoints],
        "why": served.why,
    }
