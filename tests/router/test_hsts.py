"""Which values of the annotation go into the field."""

from __future__ import annotations

import pytest

from podway_router.hsts import fault


@pytest.mark.parametrize(
    "text",
    [
        "max-age=31536000",
        "max-age=31536000;includeSubDomains;preload",
        "includeSubDomains ; preload; MAX-AGE = 0",
        'preload;max-age="5";INCLUDESUBDOMAINS',
    ],
)
def test_what_goes(text: str) -> None:
    assert fault(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "includeSubDomains",
        "max-age=",
        "max-age=-1",
        "max-age=1;",
        ";max-age=1",
        "max-age=1; other",
        "max-age=1 preload",
        "max-age=1\r\nX: y",
        "max-age=1\n",
        " max-age=1",
        "max-age=" + "1" * 300,
    ],
)
def test_what_does_not(text: str) -> None:
    assert "another directive voids it all" in fault(text)
