from __future__ import annotations

import pytest

from podway_router import hosts


@pytest.mark.parametrize(
    "host", ["a", "web.apps.lab.example.test", "1.2.3.x", "a" * 63, "x--y.z", ".".join(["ab"] * 84)]
)
def test_proper_names(host: str) -> None:
    assert hosts.problem(host) == ""


@pytest.mark.parametrize(
    "host", ["", ".", "a.", "A.b", "*.a", "-a.b", "a-.b", "a..b", "a_b.c", "a b", "é.x", "a" * 64]
)
def test_what_is_no_host_name_is_named(host: str) -> None:
    assert "host name" in hosts.problem(host)


def test_too_long() -> None:
    assert "255 characters" in hosts.problem("a." * 127 + "a")


def test_a_wildcard_is_that_of_the_parent() -> None:
    assert hosts.wildcard_of("www.shop.example.test") == "*.shop.example.test"


def test_a_generated_host_has_no_dot_of_the_name() -> None:
    assert hosts.generated("web.v2", "shop", "apps.test") == "web-v2-shop.apps.test"
