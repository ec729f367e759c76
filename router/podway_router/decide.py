"""Which Route serves a request or a TLS server name, or which step says no. Pure look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from podway_router.entry import RouteEntry
from podway_router.hosts import wildcard_of
from podway_router.nearest import Nearest
from podway_router.table import Row, Table

PASSTHROUGH = "passthrough"


class Match(NamedTuple):
    """The Route that serves."""

    key: str


class Ended(NamedTuple):
    """TLS ends here, and each request is looked up by itself."""

    certificate: str
    """Digest of the one to show; empty: the controller's default."""


class Redirect(NamedTuple):
    """The Route that sends plain HTTP on to https."""

    key: str


class Miss(NamedTuple):
    """No Route serves it: the step that failed, for the client and for the operator."""

    step: str
    public: str
    """What the client may read: nothing about other tenants' hosts."""
    detail: str = ""
    """What the operator reads besides."""


class Tables:
    """One controller's Routes by host and path. Immutable; `changed` gives the next one."""

    __slots__ = (
        "_every",
        "_nearest",
        "_plain",
        "_redirect",
        "_shown",
        "_terminated",
        "_through",
    )

    def __init__(self, entries: Iterable[tuple[str, RouteEntry]] = ()) -> None:
        """Take the Routes by key. Admission has made host and path unique."""
        rows = list(entries)
        self._every = Table(_every(rows))
        """All that there is, as `edge shop/web`: to say why."""
        self._redirect = Table(_redirect(rows))
        self._plain = Table(_plain(rows))
        self._through = Table(_through(rows))
        self._terminated = Table(_terminated(rows))
        self._shown = Table(_shown(rows))
        self._nearest: Nearest | None = None

    def changed(self, before: Mapping[str, RouteEntry], after: Mapping[str, RouteEntry]) -> Tables:
        """Give the tables without the entries of `before` and with those of `after`, by key."""
        old, new = list(before.items()), list(after.items())
        next_one = Tables()
        next_one._every = self._every.replaced(_every(old), _every(new))
        next_one._redirect = self._redirect.replaced(_redirect(old), _redirect(new))
        next_one._plain = self._plain.replaced(_plain(old), _plain(new))
        next_one._through = self._through.replaced(_through(old), _through(new))
        next_one._terminated = self._terminated.replaced(_terminated(old), _terminated(new))
        next_one._shown = self._shown.replaced(_shown(old), _shown(new))
        return next_one

    def http(self, host: str, path: bytes) -> Match | Redirect | Miss:
        """Find what a request on the plain HTTP port gets (redirects are looked at first)."""
        found = self._redirect.find(host, path) or self._plain.find(host, path)
        return found if found is not None else self._http_miss(host, path)

    def settled_inside(self, host: str) -> Match | None:
        """Give what `https` finds for each path of this host, where that is one and the same."""
        return self._terminated.sole(host)

    def settled(self, host: str) -> Match | None:
        """Give what `http` finds for each path of this host, where that is one and the same."""
        redirect = self._redirect
        if redirect.any_of(host) is None and redirect.any_of(wildcard_of(host)) is None:
            return self._plain.sole(host)
        return None

    def tls(self, name: str | None) -> Match | Ended:
        """Find what a connection gets whose hello names the server `name`.

        A Match is handed through; an exact host that ends TLS here beats a wildcard of those.
        """
        if name is None:
            return Ended("")
        found = self._through.exact(name)
        if found is None and self._terminated.any_of(name) is None:
            found = self._through.wildcard(name)
        if found is not None:
            return found
        return Ended(self._shown.shortest(name) or self._shown.shortest(wildcard_of(name)) or "")

    def https(self, host: str, path: bytes) -> Match | Miss:
        """Find what a request on a connection whose TLS ended here gets."""
        found = self._terminated.find(host, path)
        return found if found is not None else self._https_miss(host, path)

    def same_route(self, key: str, name: str, path: bytes) -> bool:
        """Tell whether the server name `name` leads to that Route, or to none at all."""
        found = self._terminated.find(name, path)
        if found is not None:
            return found.key == key
        return not (self._terminated.any_of(name) or self._terminated.any_of(wildcard_of(name)))

    def nearest(self, host: str) -> str:
        """Say which hosts come near to one that has no Route; empty when none does.

        Slower than the rest (a fifth of a millisecond): for what is logged, not for each request.
        """
        if self._nearest is None:
            self._nearest = Nearest(self._every.hosts())
        return self._nearest(host)

    def _http_miss(self, host: str, path: bytes) -> Miss:
        known = self._every.find(host, path)
        if known is not None:
            public = f"{host} is served over TLS only"
            return Miss("tls-only", public, f"its route: {known}")
        if self._knows(host):
            shown = path[:100].decode("ascii", "backslashreplace")
            public = f"no route of {host} covers the path {shown}"
            return Miss("no-route", public, "the host has routes with other paths")
        return _unknown(host)

    def _https_miss(self, host: str, path: bytes) -> Miss:
        known = self._every.find(host, path)
        if known is None:
            return self._http_miss(host, path)
        detail = f"its route: {known}"
        if known.startswith(PASSTHROUGH):
            return Miss("passthrough", f"{host} is served by its server name (SNI) only", detail)
        return Miss("http-only", f"{host} is served over plain HTTP only", detail)

    def _knows(self, host: str) -> bool:
        return bool(self._every.any_of(host) or self._every.any_of(wildcard_of(host)))


def _unknown(host: str) -> Miss:
    public = f"no route has the host {host[:253]}" if host else "the request names no host"
    return Miss("no-route", public)


_Entries = Iterable[tuple[str, RouteEntry]]


def _every(entries: _Entries) -> list[Row[str]]:
    return [Row(entry.host, entry.path, _named(key, entry)) for key, entry in entries]


def _redirect(entries: _Entries) -> list[Row[Redirect]]:
    return [
        Row(entry.host, entry.path, Redirect(key))
        for key, entry in entries
        if entry.termination and entry.insecure == "Redirect"
    ]


def _plain(entries: _Entries) -> list[Row[Match]]:
    return [Row(entry.host, entry.path, Match(key)) for key, entry in entries if _open(entry)]


def _through(entries: _Entries) -> list[Row[Match]]:
    return [
        Row(entry.host, "/", Match(key))
        for key, entry in entries
        if entry.termination == PASSTHROUGH
    ]


def _terminated(entries: _Entries) -> list[Row[Match]]:
    return [
        Row(entry.host, entry.path, Match(key))
        for key, entry in entries
        if entry.termination not in ("", PASSTHROUGH)
    ]


def _shown(entries: _Entries) -> list[Row[str]]:
    return [
        Row(entry.host, entry.path, entry.certificate)
        for key, entry in entries
        if entry.certificate
    ]


def _open(entry: RouteEntry) -> bool:
    """Tell whether a Route answers on plain HTTP."""
    if not entry.termination:
        return True
    return entry.termination != PASSTHROUGH and entry.insecure == "Allow"


def _named(key: str, entry: RouteEntry) -> str:
    """Give `edge shop/web`: the termination, if any, and the Route."""
    return f"{entry.termination} {key.split('/', 2)[2]}".lstrip()
