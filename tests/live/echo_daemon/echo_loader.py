"""The test daemon's loader: one JSON file, looked at often; a bad one keeps the last good."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from podway_proxy.process.daemon import CannotStart
from podway_proxy.process.spec import Compiled, Json, ListenerSpec, ProbeSpec


class EchoLoader:
    def __init__(self, file: Path, held: bytes | None) -> None:
        self._file = file
        self._held = held
        self._good: bytes | None = held

    async def snapshots(self) -> AsyncIterator[Mapping[str, Any]]:
        seen = b""
        while True:
            data = self._file.read_bytes()
            if data != seen:
                seen = data
                yield self._read(data)
            await asyncio.sleep(0.02)

    def compile(self, snapshot: Mapping[str, Any]) -> Compiled:
        if snapshot.get("cannot_start"):
            raise CannotStart(snapshot["cannot_start"])
        if snapshot.get("crash"):
            raise ZeroDivisionError(snapshot["crash"])
        return Compiled(
            entries=snapshot.get("entries", {}),
            listeners=tuple(ListenerSpec(**one) for one in snapshot.get("listeners", ())),
            probes=tuple(ProbeSpec(**one) for one in snapshot.get("probes", ())),
            problems=tuple(snapshot.get("problems", ())),
            ready=snapshot.get("ready", True),
            why=snapshot.get("why", ""),
        )

    def state(self) -> bytes | None:
        return self._held

    def debug(self) -> Mapping[str, Callable[[], Json]]:
        return {"held": lambda: self._held is not None}

    def check(self) -> Sequence[str]:
        return list(json.loads(self._file.read_bytes()).get("problems", ()))

    def _read(self, data: bytes) -> Mapping[str, Any]:
        try:
            snapshot: Mapping[str, Any] = json.loads(data)
            self._good, self._held = data, None
        except ValueError:
            self._held = self._good
            if self._held is None:
                raise
            snapshot = {**json.loads(self._held), "problems": ("bad file: last good one held",)}
        return snapshot


def build(options: dict[str, Any], state: bytes | None) -> EchoLoader:
    return EchoLoader(Path(options["file"]), state)
