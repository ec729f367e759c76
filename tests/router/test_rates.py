from __future__ import annotations

import pytest

from podway_router.rates import POD, RATES, pod_connections, rules


def read(*, asked: bool = True, **parts: str) -> tuple[dict[str, int] | None, list[str]]:
    warnings: list[str] = []
    names = {f"{RATES}.{part.replace('_', '-')}": value for part, value in parts.items()}
    annotations = {RATES: "true", **names} if asked else names
    return rules(annotations, warnings, asked=asked), warnings


def test_limits_of_a_client() -> None:
    found, warnings = read(concurrent_tcp="10", rate_tcp="+20", rate_http="30")
    assert found == {"concurrent": 10, "connections": 20, "requests": 30}
    assert warnings == []


@pytest.mark.parametrize("value", ["", "ten", "1.5", "1k", " 1", "1\n", "9" * 30])
def test_what_is_no_integer_is_absent_and_reported(value: str) -> None:
    found, warnings = read(rate_http=value, rate_tcp="5")
    assert found == {"connections": 5}
    assert [f"rate-http]: {value!r} is not an integer" in one for one in warnings] == [True]


def test_limits_that_limit_nothing_are_reported() -> None:
    assert read()[0] is None
    assert "limits nothing without one of .concurrent-tcp, .rate-tcp, .rate-http" in read()[1][0]
    assert read(asked=False, rate_http="5") == (None, [])


@pytest.mark.parametrize(
    ("part", "value", "nobody"),
    [
        ("concurrent_tcp", "1", True),
        ("concurrent_tcp", "2", False),
        ("rate_tcp", "-3", True),
        ("rate_tcp", "2", False),
        ("rate_http", "0", True),
        ("rate_http", "1", False),
    ],
)
def test_limits_that_let_nobody_in_are_reported(part: str, value: str, nobody: bool) -> None:
    warnings = read(**{part: value})[1]
    assert any("lets nobody in" in one for one in warnings) == nobody


@pytest.mark.parametrize(("value", "expected"), [("5", 5), ("0", 0), ("-1", 0), ("+2", 2)])
def test_connections_of_a_pod(value: str, expected: int) -> None:
    warnings: list[str] = []
    assert pod_connections({POD: value}, warnings) == expected
    assert warnings == []


def test_connections_of_a_pod_that_are_no_number() -> None:
    warnings: list[str] = []
    assert pod_connections({POD: "many"}, warnings) == 0
    assert "'many' is not an integer" in warnings[0]
    assert pod_connections({}, warnings) == 0
