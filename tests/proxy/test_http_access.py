"""HAProxy's letters for each way in which a request may end."""

from __future__ import annotations

import pytest

from podway_proxy.http.access import ABORTED, AccessRecord, Watched


def record(step: str, status: int, state: str | None = None) -> AccessRecord:
    watched = None if state is None else Watched(0.0, 0.0, 0.0, 0.0, state=state)
    return AccessRecord(("", 0), None, status, step, "", "", None, 0.0, 0, None, watched)


@pytest.mark.parametrize(
    ("step", "status", "state"),
    [
        ("", 200, "--"),
        ("", 404, "--"),
        ("redirect", 302, "LR"),
        ("no-route", 503, "SC"),
        ("no-route", 404, "PR"),
        ("tls-only", 404, "PR"),
        ("connect", 503, "SC"),
        ("head-timeout", 408, "cR"),
        ("client-gone", 400, "CR"),
        ("body-timeout", 408, "cD"),
        ("server-timeout", 504, "sH"),
        ("reset", 502, "SH"),
        ("bad-answer", 502, "PH"),
        ("bad-request", 400, "PR"),
        ("misdirected", 421, "PR"),
        ("rate-limit", 429, "PR"),
        (ABORTED, 200, "CD"),
        (ABORTED, 0, "PR"),
    ],
)
def test_the_letters(step: str, status: int, state: str) -> None:
    assert record(step, status).state == state
    assert record(step, status, "").state == state
    assert record(step, status, "sC").state == "sC"


def test_bytes_that_are_no_request_have_nothing_to_say() -> None:
    one = record("bad-request", 400)
    assert (one.host, one.method, one.target) == ("", "", "")
