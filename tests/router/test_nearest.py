from __future__ import annotations

import pytest

from podway_router.nearest import Nearest

NEAREST = Nearest(["web.apps.test", "webhook.apps.test", "shop.ext.test", "*.wild.test"])


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("wep.apps.test", "nearest: web.apps.test"),
        ("shop.apps.test", "nearest: shop.ext.test"),
        ("wild.test", "the wildcard *.wild.test does not cover wild.test itself"),
        ("a.b.wild.test", "the wildcard *.wild.test covers one label only"),
        ("something.else", ""),
        ("", ""),
    ],
)
def test_what_is_near(host: str, said: str) -> None:
    assert NEAREST(host) == said


def test_at_most_three_are_named() -> None:
    many = Nearest([f"web{number}.apps.test" for number in range(1000)])
    assert many("web.apps.test").count(",") == 2
