from __future__ import annotations

import pytest

from podway_cluster.model import IngressController, Meta, Route
from podway_cluster.model.controller import RouteAdmission
from podway_cluster.model.route import RouteBackend, RouteTls
from podway_router.admission import Claim, Condition, Policy
from podway_router.claims import claim, host_of, policy

APPS = IngressController(Meta("IngressController", "o", "apps"), domain="apps.test")


def route(name: str = "web", **fields: object) -> Route:
    return Route(Meta("Route", "shop", name), RouteBackend("web"), **fields)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (route(host="Own.Test."), "own.test"),
        (route(subdomain="sub"), "sub.apps.test"),
        (route(host="own.test", subdomain="sub"), "own.test"),
        (route("web.v2"), "web-v2-shop.apps.test"),
    ],
)
def test_hosts(given: Route, host: str) -> None:
    assert host_of(given, APPS) == host


def test_a_claim_has_what_admission_needs() -> None:
    found = claim(route(host="w.test", path="/x", tls=RouteTls("reencrypt")), APPS)
    assert isinstance(found, Claim)
    assert (found.host, found.path, found.termination) == ("w.test", "/x", "reencrypt")
    assert not found.wildcard


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (route(), "NoHostValue"),
        (route(host="not_a_host"), "InvalidHost"),
        (route(host="top", wildcard_policy="Subdomain"), "InvalidHost"),
    ],
)
def test_what_can_have_no_claim(given: Route, reason: str) -> None:
    found = claim(given, APPS._replace(domain=""))
    assert isinstance(found, Condition)
    assert found.reason == reason
    assert found.message


def test_policy() -> None:
    assert policy(APPS) == Policy(strict=True, wildcards=False)
    relaxed = RouteAdmission("InterNamespaceAllowed", "WildcardsAllowed")
    assert policy(APPS._replace(route_admission=relaxed)) == Policy(strict=False, wildcards=True)
