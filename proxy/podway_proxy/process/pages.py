"""The admin pages' paths and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from podway_proxy.process.admin import Page
from podway_proxy.process.spec import Json


class Pages:
    """Gives the page of a path.

    `why` says why the daemon is not ready (empty: it is), `notes` what else is wrong, `metrics`
    gives the whole page, `debug` the pages below /debug/.
    """

    def __init__(
        self,
        why: Callable[[], str],
        notes: Callable[[], str],
        metrics: Callable[[], bytes],
        debug: Mapping[str, Callable[[], Json]],
    ) -> None:
        self._why = why
        self._notes = notes
        self._metrics = metrics
        self._debug = debug

    def __call__(self, path: str) -> Page | None:
        """Give a page, or None."""
        if path == "/healthz":
            return Page(200, b"ok\n")
        if path == "/healthz/ready":
            return self._ready()
        if path == "/metrics":
            return Page(200, self._metrics(), "text/plain; version=0.0.4; charset=utf-8")
        if path in ("/debug", "/debug/"):
            return _json([f"/debug/{name}" for name in sorted(self._debug)])
        name = path.removeprefix("/debug/")
        if name != path and name in self._debug:
            return _json(self._debug[name]())
        return None

    def _ready(self) -> Page:
        why = self._why()
        if why:
            return Page(503, f"not ready: {why}\n".encode())
        return Page(200, ("ready\n" + self._notes()).encode())


def _json(value: Json) -> Page:
    body = json.dumps(value, indent=2, default=str).encode() + b"\n"
    return Page(200, body, "application/json")
