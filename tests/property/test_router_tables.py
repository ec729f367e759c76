"""Matching against its definition, and changed tables against fresh ones."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_router.decide import Match, Tables
from podway_router.entry import RouteEntry
from podway_router.table import Row, Table

HOSTS = st.sampled_from(["a.x", "b.x", "x", "*.x", "*.a.x", "c.a.x"])
ASKED = st.sampled_from(["a.x", "b.x", "z.x", "x", "c.a.x", "d.a.x", "", "."])
PATHS = st.lists(st.sampled_from(["/", "a", "b", "%"]), max_size=6).map(
    lambda parts: "/" + "".join(parts)
)
ROUTE_PATHS = st.one_of(PATHS, PATHS.map("={}".format))


def covers(route: str, path: str) -> bool:
    """The rule as the reference has it."""
    if route.startswith("="):
        return path == route[1:]
    return path == route or path.startswith(route if route.endswith("/") else route + "/")


def host_matches(host: str, asked: str) -> bool:
    return host == asked or (host[:1] == "*" and asked.partition(".")[2] == host[2:])


def by_definition(rows: dict[tuple[str, str], int], host: str, path: str) -> int | None:
    fitting = [
        (wanted[:1] != "*", prefix[:1] == "=", len(prefix), value)
        for (wanted, prefix), value in rows.items()
        if host_matches(wanted, host) and covers(prefix, path)
    ]
    return max(fitting)[-1] if fitting else None


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.tuples(HOSTS, ROUTE_PATHS), st.integers(0, 9), max_size=8), ASKED, PATHS)
def test_look_ups_follow_the_definition(
    rows: dict[tuple[str, str], int], host: str, path: str
) -> None:
    table = Table(Row(wanted, prefix, value) for (wanted, prefix), value in rows.items())
    assert table.find(host, path.encode()) == by_definition(rows, host, path)


ENTRIES = st.builds(
    RouteEntry,
    host=HOSTS,
    path=ROUTE_PATHS,
    termination=st.sampled_from(["", "edge", "passthrough"]),
    insecure=st.sampled_from(["None", "Allow", "Redirect"]),
    endpoints=st.just([]),
    policy=st.just("random"),
)


def admitted(entries: list[RouteEntry]) -> dict[str, RouteEntry]:
    """Keep what admission would: host and path once, passthrough once a host and without path."""
    kept: dict[tuple[str, str], RouteEntry] = {}
    for entry in entries:
        path = "/" if entry.termination == "passthrough" else entry.path
        kept.setdefault((entry.host, path), entry._replace(path=path))
    return {f"route/c/n/r{number}": entry for number, entry in enumerate(kept.values())}


@settings(max_examples=200, deadline=None)
@given(st.lists(ENTRIES, max_size=6), st.lists(ENTRIES, max_size=6), ASKED, PATHS)
def test_changed_tables_are_as_fresh_ones(
    old: list[RouteEntry], new: list[RouteEntry], host: str, path: str
) -> None:
    before, after = admitted(old), admitted(new)
    changed = Tables(before.items()).changed(before, after)
    fresh = Tables(after.items())
    assert changed.http(host, path.encode()) == fresh.http(host, path.encode())
    assert isinstance(changed.tls(host), Match) == isinstance(fresh.tls(host), Match)


@settings(max_examples=300, deadline=None)
@given(st.lists(ENTRIES, max_size=6), ASKED, PATHS)
def test_a_settled_host_leads_to_one_route_by_any_path(
    entries: list[RouteEntry], host: str, path: str
) -> None:
    tables = Tables(admitted(entries).items())
    settled = tables.settled(host)
    assert settled is None or tables.http(host, path.encode()) == settled
