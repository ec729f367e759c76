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
    fields = {"method": "GET", "host": "web", "target": "/x", "client": "10.0.0.7"}
    good = {"status": 200, "by": "route a/b", "endpoint": "1.2.3.4:80 (pod-1)", "seconds": 0.0012}
    line = render(record(event="request", step="", attempts=1, **fields, **good), plain)
    assert line == (
        "22:28:01.123 200 GET web/x -> pod-1 (1.2.3.4:80) by route a/b, for 10.0.0.7, 1.2 ms"
    )
    line = render(record(event="request", status=503, step="no-route", **fields), paint)
    assert "<bad>503</> <strong>GET web/x</> <bad>no-route</>" in line


def test_a_tls_connection_reads_like_one() -> None:
    fields = {"client": "10.0.0.7", "by": "route a/b", "received": 517, "sent": 2000}
    line = render(record(event="connection", endpoint="1.2.3.4:443 (p)", **fields), plain)
    assert line.endswith(
        "TLS -> p (1.2.3.4:443) by route a/b, for 10.0.0.7, 517 bytes in, 2000 out"
    )
    line = render(record(event="connection", endpoint="", step="no-sni", **fields), paint)
    assert "<bad>TLS refused</> <bad>no-sni</>" in line


def test_other_lines_come_out_as_they_are() -> None:
    for line in ("Traceback", "{not json", '{"no": "event"}', "[1]"):
        assert render(line, plain) == line
