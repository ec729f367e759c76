from __future__ import annotations

import pytest

from podway_cluster.parse.durations import seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300ms", 0.3),
        ("1.5h", 5400.0),
        ("2h45m", 9900.0),
        ("30s", 30.0),
        ("1m30s", 90.0),
        ("0", 0.0),
        ("0s", 0.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("-2s", -2.0),
        ("+2s", 2.0),
        ("1us", 1e-6),
        ("1µs", 1e-6),
        ("1h0m0s", 3600.0),
    ],
)
def test_go_durations(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "-", "30", "s", "30 s", "1d", "1hour", "1h 2m", ".s", "1e3s", "٣s", "1s" * 40]
)
def test_what_is_no_duration(text: str) -> None:
    assert seconds(text) is None
