from __future__ import annotations

import pytest

from podway_router.decide import Ended, Match, Miss, Redirect, Tables
from podway_router.entry import RouteEntry


def key(name: str) -> str:
    return f"route/apps/shop/{name}"


def tables(**routes: tuple[str, str, str, str]) -> Tables:
    """Give tables of routes `name=(host, path, termination, insecure)`."""
    entries = {
        key(name): RouteEntry(host, path, kind, insecure, [], "random")
        for name, (host, path, kind, insecure) in routes.items()
    }
    return Tables(entries.items())


EVERY = tables(
    plain=("plain.t", "/", "", ""),
    deep=("plain.t", "/deep", "", ""),
    none=("none.t", "/", "edge", "None"),
    allow=("allow.t", "/", "edge", "Allow"),
    redirect=("redirect.t", "/", "reencrypt", "Redirect"),
    through=("through.t", "/", "passthrough", "None"),
    onward=("onward.t", "/", "passthrough", "Redirect"),
    wild=("*.w.t", "/", "passthrough", ""),
    under=("edge.w.t", "/", "edge", "None"),
    paths=("paths.t", "/only", "", ""),
)


@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        ("plain.t", b"/", "plain"),
        ("plain.t", b"/deep/er", "deep"),
        ("allow.t", b"/", "allow"),
        ("paths.t", b"/only", "paths"),
    ],
)
def test_plain_http_is_matched(host: str, path: bytes, name: str) -> None:
    assert EVERY.http(host, path) == Match(key(name))


@pytest.mark.parametrize("name", ["redirect", "onward"])
def test_redirects(name: str) -> None:
    assert EVERY.http(f"{name}.t", b"/x") == Redirect(key(name))


def test_a_redirect_is_looked_at_before_a_longer_plain_path() -> None:
    both = tables(to=("h.t", "/", "edge", "Redirect"), plain=("h.t", "/longer", "", ""))
    assert both.http("h.t", b"/longer") == Redirect(key("to"))


@pytest.mark.parametrize("host", ["none.t", "through.t", "x.w.t"])
def test_a_host_that_is_not_open_on_plain_http(host: str) -> None:
    miss = EVERY.http(host, b"/")
    assert isinstance(miss, Miss)
    assert miss.step == "tls-only"
    assert miss.public == f"{host} is served over TLS only"


def test_an_unknown_path_and_an_unknown_host_are_told_apart() -> None:
    path = EVERY.http("paths.t", b"/other\xff")
    assert isinstance(path, Miss)
    assert path.public == "no route of paths.t covers the path /other\\xff"
    host = EVERY.http("plane.t", b"/")
    assert isinstance(host, Miss)
    assert host.step == "no-route"
    assert host.detail == ""
    assert "plain.t" not in host.public
    assert EVERY.nearest("plane.t") == "nearest: plain.t"


@pytest.mark.parametrize(
    ("sni", "name"), [("through.t", "through"), ("onward.t", "onward"), ("any.w.t", "wild")]
)
def test_server_names_that_are_handed_through(sni: str, name: str) -> None:
    assert EVERY.tls(sni) == Match(key(name))


@pytest.mark.parametrize("sni", [None, "none.t", "edge.w.t", "plain.t", "w.t", "nobody.t"])
def test_tls_of_any_other_server_name_ends_here(sni: str | None) -> None:
    assert EVERY.tls(sni) == Ended("")


@pytest.mark.parametrize(
    ("host", "step"),
    [
        ("plain.t", "http-only"),
        ("through.t", "passthrough"),
        ("x.w.t", "passthrough"),
        ("nobody.t", "no-route"),
        ("", "no-route"),
    ],
)
def test_hosts_that_are_not_served_inside_tls(host: str, step: str) -> None:
    miss = EVERY.https(host, b"/")
    assert isinstance(miss, Miss)
    assert miss.step == step


@pytest.mark.parametrize(("host", "name"), [("none.t", "none"), ("edge.w.t", "under")])
def test_hosts_inside_tls(host: str, name: str) -> None:
    assert EVERY.https(host, b"/any") == Match(key(name))


def certified(**routes: tuple[str, str, str]) -> Tables:
    """Give tables of edge Routes `name=(host, path, certificate)`."""
    entries = {
        key(name): RouteEntry(host, path, "edge", "None", [], "random", certificate=certificate)
        for name, (host, path, certificate) in routes.items()
    }
    return Tables(entries.items())


def test_which_certificate_is_shown() -> None:
    made = certified(
        deep=("a.t", "/deep", "1"),
        top=("a.t", "/", "2"),
        bare=("b.w.t", "/", ""),
        wild=("*.w.t", "/", "3"),
    )
    assert made.tls("a.t") == Ended("2")
    assert made.tls("b.w.t") == Ended("3")
    assert made.tls("other.w.t") == Ended("3")
    assert made.tls("c.t") == Ended("")


def test_which_server_names_lead_to_the_same_route() -> None:
    made = certified(a=("a.t", "/", ""), b=("b.t", "/", ""), wild=("*.w.t", "/", ""))
    assert made.same_route(key("wild"), "x.w.t", b"/")
    assert made.same_route(key("a"), "nobody.t", b"/")
    assert not made.same_route(key("a"), "b.t", b"/")


def test_no_routes_at_all() -> None:
    assert isinstance(Tables().http("", b"/"), Miss)
    assert isinstance(Tables().https("a.b", b"/"), Miss)


def test_a_change_leads_to_the_same_tables_as_a_fresh_start() -> None:
    old = {key("a"): RouteEntry("a.t", "/", "edge", "Redirect", [], "random")}
    new = {key("a"): RouteEntry("a.t", "/", "passthrough", "None", [], "random")}
    before = Tables(old.items())
    after = before.changed(old, new)
    assert before.http("a.t", b"/") == Redirect(key("a"))
    assert after.tls("a.t") == Match(key("a"))
    gone = after.http("a.t", b"/")
    assert isinstance(gone, Miss)
    assert gone.step == "tls-only"
    empty = after.changed(new, {}).tls("a.t")
    assert empty == Ended("")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("allow.t", "allow"),
        ("plain.t", ""),  # two paths
        ("paths.t", ""),  # not all paths
        ("redirect.t", ""),
        ("none.t", ""),
        ("nobody.t", ""),
    ],
)
def test_hosts_of_which_all_paths_lead_to_one_route(host: str, name: str) -> None:
    assert EVERY.settled(host) == (Match(key(name)) if name else None)


@pytest.mark.parametrize(("host", "name"), [("edge.w.t", "under"), ("none.t", "none"), ("x.t", "")])
def test_hosts_of_which_all_paths_lead_to_one_route_inside_tls(host: str, name: str) -> None:
    assert EVERY.settled_inside(host) == (Match(key(name)) if name else None)
