"""Which Route serves a request or a TLS server name, or which step says no. Pure look-ups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from podway_router.entry import RouteEntry
from podway_router.nearest import Nearest
from podway_router.table import Table

PASSTHROUGH = "passthrough"


class Match(NamedTuple):
    """The Route that serves."""

    key: str


class Redirect(NamedTuple):
    """The Route that sends plain HTTP on to https."""

    key: str


class Miss(NamedTuple):
    """No Route serves it: the step that failed, for the client and for the operator."""

    step: str
    public: str
    """What the client may read: nothing about other tenants' hosts."""
    detail: str
    """What the operator reads besides."""


class Tables:
    """One controller's Routes by host and path, immutable; `entries` are kept by key."""

    def __init__(self, entries: Iterable[tuple[str, RouteEntry]]) -> None:
        """Sort the Routes into their tables. Admission has made host and path unique."""
        every = list(entries)
        self._every = Table((entry.host, entry.path, (key, entry)) for key, entry in every)
        self._redirect = Table(
            (entry.host, entry.path, Redirect(key))
            for key, entry in every
            if entry.termination and entry.insecure == "Redirect"
        )
        self._plain = Table(
            (entry.host, entry.path, Match(key)) for key, entry in every if _open(entry)
        )
        self._through = Table(
            (entry.host, "/", Match(key))
            for key, entry in every
            if entry.termination == PASSTHROUGH
        )
        self._terminated = Table(
            (entry.host, "/", (key, entry))
            for key, entry in every
            if entry.termination not in ("", PASSTHROUGH)
        )
        self._hosts = [entry.host for _, entry in every]
        self._nearest: Nearest | None = None

    def http(self, host: str, path: bytes) -> Match | Redirect | Miss:
        """Find what a request on the plain HTTP port gets (redirects are looked at first)."""
        found = self._redirect.find(host, path) or self._plain.find(host, path)
        return found if found is not None else self._http_miss(host, path)

    def tls(self, name: str | None) -> Match | Miss:
        """Find what a connection whose hello names the server `name` gets."""
        if name is None:
            return Miss("no-sni", "the ClientHello names no server (SNI)", "")
        found = self._through.exact(name)
        if found is None and self._terminated.exact(name) is None:
            found = self._through.wildcard(name)
        return found if found is not None else self._tls_miss(name)

    def _http_miss(self, host: str, path: bytes) -> Miss:
        known = self._every.find(host, path)
        if known is not None:
            termination = known[1].termination
            public = f"{host} is served over TLS only"
            return Miss("tls-only", public, f"{_route(known[0])} has termination {termination}")
        shown = path[:100].decode("ascii", "backslashreplace")
        if self._every.knows(host):
            public = f"no route of {host} covers the path {shown}"
            return Miss("no-route", public, "the host has routes with other paths")
        return self._unknown(host)

    def _tls_miss(self, name: str) -> Miss:
        known = self._terminated.find(name)
        if known is not None:
            termination = known[1].termination
            public = f"termination {termination} is not served by this version"
            return Miss("termination", public, _route(known[0]))
        if self._every.knows(name):
            return Miss("http-only", f"{name} is served over plain HTTP only", "")
        return self._unknown(name)

    def _unknown(self, host: str) -> Miss:
        if self._nearest is None:
            self._nearest = Nearest(self._hosts)
        shown = host[:253]
        public = f"no route has the host {shown}" if host else "the request names no host"
        return Miss("no-route", public, self._nearest(host))


def _open(entry: RouteEntry) -> bool:
    """Tell whether a Route answers on plain HTTP."""
    if not entry.termination:
        return True
    return entry.termination != PASSTHROUGH and entry.insecure == "Allow"


def _route(key: str) -> str:
    return "route " + key.split("/", 2)[2]
