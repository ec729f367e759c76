from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Manifests

from podway_cluster.load import load
from podway_router.compile import Compilation, compile_snapshot
from podway_router.entry import RouteEntry, read_route, route_key
from podway_router.options import Options

APPS = controller("apps", 10080, 10443, 11936)
H = "haproxy.router.openshift.io/"
WEB = [service("web"), endpoints("web", ("127.128.1.1", 80), ("127.128.1.2", 80))]
API = [service("api"), endpoints("api", ("127.128.1.3", 80))]


@pytest.fixture
def compiled(tmp_path: Path) -> Any:
    def make(*objects: Any, names: tuple[str, ...] = ("apps",), **options: Any) -> Compilation:
        Manifests(tmp_path).put("all", *objects)
        chosen = Options(names, allow_loopback=True, **options)
        return compile_snapshot(load([tmp_path]), chosen)

    return make


def entry(compilation: Compilation, name: str, shard: str = "apps") -> RouteEntry:
    return read_route(compilation.compiled.entries[route_key(shard, "shop", name)])


def test_a_route_becomes_an_entry_with_its_endpoints(compiled: Any) -> None:
    found = compiled(APPS, WEB, route("web", "w.t", "web", path="/x"))
    assert found.compiled.ready
    assert found.compiled.problems == ()
    web = entry(found, "web")
    assert (web.host, web.path, web.policy, web.step) == ("w.t", "/x", "random", "")
    assert [(host, port, weight) for host, port, _, weight in web.endpoints] == [
        ("127.128.1.1", 80, 1),
        ("127.128.1.2", 80, 1),
    ]
    assert [spec.key for spec in found.compiled.listeners] == [
        "http apps 0.0.0.0:10080",
        "https apps 0.0.0.0:10443",
        "stats apps 0.0.0.0:11936",
    ]


def test_probes_only_where_there_is_a_choice(compiled: Any) -> None:
    annotations = {"router.openshift.io/haproxy.health.check.interval": "2s"}
    found = compiled(
        APPS,
        WEB,
        API,
        route("web", "w.t", "web"),
        route("quick", "q.t", "web", annotations=annotations),
        route("api", "a.t", "api"),
    )
    probes = {probe.host: probe for probe in found.compiled.probes}
    assert set(probes) == {"127.128.1.1", "127.128.1.2"}
    assert {(one.interval, one.fall, one.rise, one.path) for one in probes.values()} == {
        (2.0, 3, 2, "")
    }


def test_weights_are_divided_among_a_services_endpoints(compiled: Any) -> None:
    found = entry(compiled(APPS, WEB, API, route("ab", "w.t", {"web": 75, "api": 25})), "ab")
    assert found.policy == "roundrobin"
    weights = {host: weight for host, _, _, weight in found.endpoints}
    assert weights["127.128.1.1"] == weights["127.128.1.2"]
    assert weights["127.128.1.1"] * 2 == weights["127.128.1.3"] * 3


def test_a_weight_of_0_leaves_a_service_out(compiled: Any) -> None:
    found = entry(compiled(APPS, WEB, API, route("ab", "w.t", {"web": 0, "api": 25})), "ab")
    assert [host for host, *_ in found.endpoints] == ["127.128.1.3"]
    assert found.policy == "random"


def test_the_step_says_whether_service_or_endpoints_are_missing(compiled: Any) -> None:
    found = compiled(
        APPS,
        WEB,
        service("empty"),
        route("lost", "l.t", "nobody"),
        route("empty", "e.t", "empty"),
        route("none", "n.t", {"web": 0}),
        route("half", "h.t", {"nobody": 1, "web": 1}),
    )
    steps = {name: entry(found, name).step for name in ("lost", "empty", "none", "half")}
    assert steps == {
        "lost": "no-service",
        "empty": "no-endpoint",
        "none": "no-endpoint",
        "half": "",
    }
    assert entry(found, "none").why == "all weights are 0"
    lines = "\n".join(found.compiled.problems)
    assert "route shop/lost: spec.to.name: there is no Service shop/nobody" in lines
    assert "route shop/half: spec.to.name: there is no Service shop/nobody" in lines


def test_annotations_and_tuning(compiled: Any) -> None:
    tuned = controller("apps", 1, 2, tuningOptions={"serverTimeout": "7s", "tunnelTimeout": "2m"})
    through = {"termination": "passthrough"}
    found = compiled(
        tuned,
        WEB,
        route("usual", "u.t", "web"),
        route("own", "o.t", "web", annotations={H + "timeout": "3s", H + "balance": "leastconn"}),
        route("through", "t.t", "web", tls=through, annotations={H + "timeout": "5m"}),
        route("bad", "b.t", "web", annotations={H + "balance": "best"}),
    )
    usual = entry(found, "usual")
    assert (usual.server_timeout, usual.tunnel_timeout) == (7.0, 120.0)
    assert (entry(found, "own").server_timeout, entry(found, "own").policy) == (3.0, "leastconn")
    assert (entry(found, "through").tunnel_timeout, entry(found, "through").policy) == (
        300.0,
        "source",
    )
    assert entry(found, "bad").policy == "random"
    assert f"metadata.annotations[{H}balance]: 'best' is not one of" in found.compiled.problems[0]
    assert found.compiled.entries["shard/apps"]["limits"] == {
        "server_timeout": 7.0,
        "tunnel_timeout": 120.0,
    }


def test_shards_take_their_own_routes(compiled: Any) -> None:
    ext = controller("ext", 20080, 20443, 21936, routeSelector={"matchLabels": {"shard": "ext"}})
    team = controller("team", 3, 4, 5, namespaceSelector={"matchLabels": {"team": "a"}})
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    space["metadata"]["labels"] = {"team": "a"}
    found = compiled(
        APPS,
        ext,
        team,
        space,
        WEB,
        route("web", "w.t", "web"),
        route("out", "o.t", "web", labels={"shard": "ext"}),
        names=("ext", "team"),
    )
    routes = {key for key in found.compiled.entries if key.startswith("route/")}
    assert routes == {"route/ext/shop/out", "route/team/shop/out", "route/team/shop/web"}


def test_a_refused_route_is_reported_and_not_served(compiled: Any) -> None:
    found = compiled(
        APPS, WEB, route("first", "w.t", "web"), route("second", "w.t", "web", namespace="b")
    )
    assert "route/apps/b/second" not in found.compiled.entries
    status = {one.route.meta.name: one.condition for one in found.routes}
    assert status["first"].admitted
    assert status["second"].reason == "HostAlreadyClaimed"
    (problem,) = found.compiled.problems
    assert "route b/second: spec.host: not admitted by apps: HostAlreadyClaimed" in problem


def test_hosts_are_generated_per_controller(compiled: Any) -> None:
    found = compiled(APPS, WEB, route("web", "", "web"), route("sub", "", "web", subdomain="s"))
    assert entry(found, "web").host == "web-shop.apps.example.test"
    assert entry(found, "sub").host == "s.apps.example.test"


def test_wildcards_where_they_are_allowed(compiled: Any) -> None:
    wild = route("wild", "any.w.t", "web", wildcardPolicy="Subdomain")
    refused = compiled(APPS, WEB, wild)
    assert refused.routes[0].condition.reason == "RouteNotAdmitted"
    allowing = controller("apps", 1, 2, routeAdmission={"wildcardPolicy": "WildcardsAllowed"})
    assert entry(compiled(allowing, WEB, wild), "wild").host == "*.w.t"


def test_no_such_controller_and_disagreements_are_why_it_is_not_ready(compiled: Any) -> None:
    missing = compiled(APPS, names=("apps", "ext")).compiled
    assert not missing.ready
    assert missing.why == "no IngressController is named ext; there are: apps"
    bad = controller("apps", 1, 2) | {"spec": {"httpEmptyRequestsPolicy": "Drop"}}
    wrong = compiled(bad, names=("apps",)).compiled
    assert wrong.why == "IngressController apps can't be used: correct what is wrong with it"
    nothing = compiled(names=("apps",)).compiled
    assert "is the directory right (--manifests)?" in nothing.why
    proxy = compiled(controller("apps", 1, 2, protocol="PROXY")).compiled
    assert "--proxy-protocol" in proxy.why
    twins = compiled(APPS, controller("ext", 10080, 2), names=("apps", "ext")).compiled
    assert "10080 is asked for by" in twins.why


def test_a_pod_of_two_services_gets_both_shares(compiled: Any) -> None:
    one, two = ("127.128.1.1", 80), ("127.128.1.2", 80)
    found = compiled(
        APPS,
        service("a"),
        endpoints("a", one),
        service("b"),
        endpoints("b", one, two),
        route("ab", "w.t", {"a": 1, "b": 1}),
    )
    weights = {host: weight for host, _, _, weight in entry(found, "ab").endpoints}
    assert weights == {"127.128.1.1": 3, "127.128.1.2": 1}


def test_a_subdomain_beside_a_host_is_ignored_and_said(compiled: Any) -> None:
    found = compiled(APPS, WEB, route("web", "w.t", "web", subdomain="other"))
    assert entry(found, "web").host == "w.t"
    assert "spec.subdomain: is ignored" in found.compiled.problems[0]


def test_a_route_has_a_cookie_unless_it_wants_none(compiled: Any) -> None:
    def cookie(annotations: dict[str, str] | None = None, **spec: Any) -> tuple[str | None, str]:
        made = route("web", "w.t", "web", annotations=annotations or {}, **spec)
        found = entry(compiled(APPS, WEB, made), "web")
        return found.cookie, found.same_site

    name = hashlib.md5(b" shop:web").hexdigest()
    assert cookie() == (name, "")
    assert cookie({H + "disable_cookies": "true"}) == (None, "")
    assert cookie({"router.openshift.io/cookie_name": "mine"}) == ("mine", "")
    lax = {"router.openshift.io/cookie-same-site": "Lax"}
    assert cookie(lax) == (name, "")
    assert cookie(lax, tls={"termination": "edge"}) == (name, "Lax")
    redirect = {"termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect"}
    assert cookie(tls=redirect) == (name, "None")
    allow = {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}
    assert cookie(lax, tls=allow) == (name, "")
    assert cookie(tls={"termination": "passthrough"}) == (None, "")


def test_who_keeps_sessions_only(compiled: Any) -> None:
    found = compiled(APPS, WEB, API, route("web", "w.t", {"web": 1, "api": 0}))
    web = entry(found, "web")
    assert web.kept == [("127.128.1.3", 80, "", 0)]
    assert len(web.endpoints) == 2
    assert {probe.host for probe in found.compiled.probes} == {
        *("127.128.1.1", "127.128.1.2", "127.128.1.3")
    }
    none = entry(compiled(APPS, API, route("api", "a.t", {"api": 0})), "api")
    assert (none.step, none.kept) == ("no-endpoint", [("127.128.1.3", 80, "", 0)])
    tls = {"termination": "passthrough"}
    through = compiled(APPS, WEB, API, route("web", "w.t", {"web": 1, "api": 0}, tls=tls))
    assert entry(through, "web").kept is None
