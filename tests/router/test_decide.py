from __future__ import annotations

import pytest

from podway_router.decide import Match, Miss, Redirect, Tables
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


@pytest.mark.parametrize(
    ("sni", "step"),
    [
        (None, "no-sni"),
        ("none.t", "termination"),
        ("edge.w.t", "termination"),
        ("plain.t", "http-only"),
        ("w.t", "no-route"),
        ("nobody.t", "no-route"),
    ],
)
def test_server_names_that_are_refused(sni: str | None, step: str) -> None:
    miss = EVERY.tls(sni)
    assert isinstance(miss, Miss)
    assert miss.step == step


def test_a_termination_that_is_not_served_is_named_with_its_route() -> None:
    miss = EVERY.tls("none.t")
    assert miss == Miss(
        "termination", "termination edge is not served by this version", "route shop/none"
    )


def test_no_routes_at_all() -> None:
    assert isinstance(Tables().http("", b"/"), Miss)
    assert isinstance(Tables().tls("a.b"), Miss)


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
    assert isinstance(empty, Miss)
    assert empty.step == "no-route"
