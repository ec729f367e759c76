from __future__ import annotations

import pytest

from podway_router.effectless import warnings
from podway_router.misspelt import KNOWN
from podway_router.rates import RATES

H, R = "haproxy.router.openshift.io/", "router.openshift.io/"


@pytest.mark.parametrize(
    ("name", "terminations", "reason"),
    [
        (H + "rewrite-target", ("passthrough",), "no HTTP is read"),
        (R + "cookie_name", ("passthrough",), "no HTTP is read"),
        (R + "cookie-same-site", ("passthrough", ""), "has no effect"),
        (H + "hsts_header", ("passthrough", ""), "has no effect"),
        (H + "rate-limit-connections.rate-http", ("passthrough",), "no HTTP is read"),
        (H + "rate-limit-connections.rate-tcp", (), ""),
        (H + "balance", (), ""),
        (H + "timeout", (), ""),
    ],
)
def test_by_termination(name: str, terminations: tuple[str, ...], reason: str) -> None:
    for termination in ("", "edge", "reencrypt", "passthrough"):
        found = list(warnings({name: "x", RATES: "true"}, termination))
        assert len(found) == (termination in terminations)
        assert all(reason in one for one in found)


def test_a_limit_without_its_switch() -> None:
    for switch in ({}, {RATES: "false"}):
        (found,) = warnings({RATES + ".rate-tcp": "9", **switch}, "")
        assert found == (
            f"metadata.annotations[{RATES}.rate-tcp]: has no effect: "
            f'it counts beside {RATES}: "true" only'
        )


def test_every_annotation_has_an_effect_on_an_edge_route() -> None:
    assert not list(warnings(dict.fromkeys(KNOWN, "true"), "edge"))
