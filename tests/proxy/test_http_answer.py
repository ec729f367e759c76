from __future__ import annotations

import json

import pytest

from podway_proxy.http.answer import Answer, phrase, render

NOTHING = Answer(503, "no-route", "no route has the host '<b>'")


def page(accept: bytes = b"", answer: Answer = NOTHING, **options: bool) -> tuple[bytes, bytes]:
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"Accept: " + accept + b"\r\n" if accept else b"")
    close, explain = options.get("close", False), options.get("explain", False)
    whole = render(answer, head + b"\r\n", "router", close, explain)
    top, _, body = whole.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in top
    return top, body


def test_plain_text_names_the_step_and_what_it_means() -> None:
    top, body = page(b"*/*")
    assert top.startswith(b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain")
    assert b"no-route: no route has the host '<b>'\nNo Route of this router" in body


def test_html_is_escaped() -> None:
    top, body = page(b"text/html,application/xhtml+xml;q=0.9")
    assert b"Content-Type: text/html; charset=utf-8" in top
    assert b"&lt;b&gt;" in body
    assert b"<b>" not in body


def test_json() -> None:
    _, body = page(b"application/problem+json")
    assert json.loads(body)["step"] == "no-route"


@pytest.mark.parametrize(("close", "explain"), [(True, False), (False, True)])
def test_fields(close: bool, explain: bool) -> None:
    top, _ = page(close=close, explain=explain)
    assert (b"\r\nConnection: close" in top) is close
    assert (b"\r\nX-Podway-Reason: no-route: no route has" in top) is explain
    assert b"\r\nCache-Control: private, max-age=0, no-cache, no-store" in top


def test_a_reason_can_not_break_the_head() -> None:
    top, _ = page(answer=Answer(503, "x", "a\r\nSet-Cookie: b\u00e4"), explain=True)
    assert b"X-Podway-Reason: x: a??Set-Cookie: b?" in top


def test_head_gets_no_page_and_a_redirect_its_location() -> None:
    redirect = Answer(302, "redirect", "to https", (("Location", "https://a/"),), b"")
    whole = render(redirect, b"HEAD / HTTP/1.1\r\n\r\n", "router", False, False)
    assert b"\r\nLocation: https://a/\r\n" in whole
    assert render(NOTHING, b"HEAD / HTTP/1.1\r\n\r\n", "r", False, False).endswith(b"\r\n\r\n")


def test_phrases() -> None:
    assert phrase(421) == "Misdirected Request"
    assert phrase(599) == ""
