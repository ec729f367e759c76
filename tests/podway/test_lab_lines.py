from __future__ import annotations

import json

from podway.lab.lines import render


def paint(tone: str, text: str) -> str:
    return f"<{tone}>{text}</>" if text else ""


def plain(_: str, text: str) -> str:
    return text


def record(**fields: object) -> str:
    base = {"time": "2026-11-21T22:28:01.123Z", "daemon": "podway-lb", "role": "worker 0"}
    return json.dumps({**base, "level": "info", **fields})


def test_an_event_keeps_its_time_of_day_and_its_fields() -> None:
    line = render(record(event="endpoint is down", endpoint="127.1.1.1:80", why="no answer"), plain)
    assert line == '22:28:01.123 endpoint is down endpoint=127.1.1.1:80 why="no answer"'


def test_a_warning_says_so() -> None:
    line = render(record(level="warning", event="held"), paint)
    assert line == "<dim>22:28:01.123</> <warn>warning: held</>"


def test_a_request_reads_like_one() -> None:
    line = render(
        record(event="request", method="GET", host="web", path="/x", status=503, step="connect"),
        paint,
    )
    assert "<bad>503</> <strong>GET web/x</>" in line
    assert "step=connect" in line


def test_other_lines_come_out_as_they_are() -> None:
    for line in ("Traceback", "{not json", '{"no": "event"}', "[1]"):
        assert render(line, plain) == line
