from __future__ import annotations

import pytest

from podway_lb.addresses import bad_ranges, listen_on, listener_key

KNOWN = ["10.0.0.1", "10.0.0.2", "10.0.1.1"]


@pytest.mark.parametrize(
    ("own", "binds", "expected"),
    [
        (["10.0.0.1", "10.0.0.2"], [], ("10.0.0.1", "10.0.0.2")),
        (["10.0.0.1", "10.0.0.2"], ["10.0.0.2", "10.0.1.1"], ("10.0.0.2",)),
        (["10.0.0.1"], ["10.0.1.1"], ()),
        (["10.0.0.1"], ["0.0.0.0"], ("0.0.0.0",)),
        ([], ["172.18.0.4"], ("172.18.0.4",)),
        (["10.0.0.1", "10.0.0.1"], [], ("10.0.0.1",)),
    ],
)
def test_binds(own: list[str], binds: list[str], expected: tuple[str, ...]) -> None:
    assert listen_on(own, binds, KNOWN) == expected


def test_listener_keys() -> None:
    assert listener_key("127.0.2.1", 80) == "tcp 127.0.2.1:80"
    assert listener_key("::1", 80) == "tcp [::1]:80"


def test_bad_ranges() -> None:
    assert list(bad_ranges(["10.0.0.0/8", "10.0.0.1/8", "10.0.0.0/33", "all"])) == [
        "10.0.0.0/33",
        "all",
    ]
