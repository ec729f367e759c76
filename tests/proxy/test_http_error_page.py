"""An operator's own error pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podway_proxy.http.error_page import MOST, PageError, read_page

OPENSHIFT = (
    b"HTTP/1.0 503 Service Unavailable\nPragma: no-cache\n"
    b"Cache-Control: private, max-age=0, no-cache, no-store\nConnection: close\n"
    b"Content-Type: text/html\n\n<html>\n\nSorry</html>\n"
)


def test_openshifts_own_page() -> None:
    page = read_page(OPENSHIFT, 503)
    body = b"<html>\n\nSorry</html>\n"
    head = (
        b"HTTP/1.1 503 Service Unavailable\r\nPragma: no-cache\r\n"
        b"Cache-Control: private, max-age=0, no-cache, no-store\r\nContent-Type: text/html\r\n"
        b"Content-Length: %d\r\n" % len(body)
    )
    assert page.render(b"GET / HTTP/1.1\r\n\r\n", close=False) == head + b"\r\n" + body
    assert page.render(b"HEAD / HTTP/1.1\r\n\r\n", close=False) == head + b"\r\n"
    told = page.render(b"", close=True, reason="no-route: none")
    more = b"X-Podway-Reason: no-route: none\r\nConnection: close\r\n"
    assert told == head + more + b"\r\n" + body


def test_framing_is_made_anew() -> None:
    text = b"HTTP/1.1 404 Gone\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\nabc"
    said = read_page(text, 404).render(b"", close=False)
    assert said == b"HTTP/1.1 404 Gone\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "has no empty line"),
        (b"<html>sorry</html>\n\n", "does not begin with a status line"),
        (b"HTTP/1.1 200 OK\n\nx", "has the status 200: make it 503"),
        (b"HTTP/2 503 x\n\nx", "does not begin with a status line"),
        (b"HTTP/1.1 503 x\nno header\n\nx", "malformed header in its line 2"),
        (b"HTTP/1.1 503 x\nA: b\n folded\n\nx", "malformed header in its line 3"),
        (b"HTTP/1.1 503 x\nA: b\rc\n\nx", "malformed header in its line 2"),
        (b"HTTP/1.1 503 x\n\n" + b"x" * MOST, "use at most 32768"),
    ],
)
def test_what_is_no_page(text: bytes, fault: str) -> None:
    with pytest.raises(PageError, match=fault):
        read_page(text, 503)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_page_is_one_answer_or_none(head: bytes, body: bytes) -> None:
    try:
        page = read_page(b"HTTP/1.1 503 x\n" + head + b"\n\n" + body, 503)
    except PageError:
        return
    said, _, rest = page.render(b"GET", close=False).partition(b"\r\n\r\n")
    assert rest == page.body
    assert said.count(b"\r") == said.count(b"\n")
    assert said.lower().count(b"content-length:") == 1
