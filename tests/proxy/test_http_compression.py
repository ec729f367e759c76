from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podway_proxy.http.compression import accepts_gzip, encoded, fits, suits
from podway_proxy.http.head import read_head
from podway_proxy.http.request import CHUNKED, NO_BODY, UNTIL_CLOSE, Request
from podway_proxy.http.response import Response

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n"


def request(*fields: str, version: str = "1.1") -> Request:
    text = "\r\n".join((f"GET / HTTP/{version}", "Host: a", *fields, "", ""))
    read = read_head(text.encode())
    assert isinstance(read, Request)
    return read


def answer(*fields: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *fields, "", "")).encode()


@pytest.mark.parametrize(
    ("values", "allowed"),
    [
        ([], False),
        (["gzip"], True),
        (["GZIP"], True),
        (["deflate, gzip;q=0.5, br"], True),
        (["deflate", "gzip"], True),
        (["gzip;q=0"], False),
        (["gzip ; q=0.000"], False),
        (["gzip;Q=0"], False),
        (["gzip;q=0.001"], True),
        (["gzip;q=much"], True),
        (["*"], True),
        (["*;q=0"], False),
        (["gzip;q=0, *"], False),
        (["*, gzip;q=0"], False),
        (["*;q=0, gzip"], True),
        (["br, deflate"], False),
        (["x-gzip"], False),
        (["gzipped"], False),
        ([""], False),
    ],
)
def test_what_accept_encoding_allows(values: list[str], allowed: bool) -> None:
    head = request(*(f"Accept-Encoding: {value}" for value in values)).head
    assert accepts_gzip(head) is allowed
    assert accepts_gzip(head.replace(b"Accept-Encoding", b"accept-encoding")) is allowed


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60))
def test_any_value_is_read(value: str) -> None:
    accepts_gzip(b"GET / HTTP/1.1\r\nAccept-Encoding: " + value.encode("latin-1") + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("status", "length", "modern", "fit"),
    [
        (200, 5, True, True),
        (203, CHUNKED, True, True),
        (200, NO_BODY, True, False),
        (200, UNTIL_CLOSE, True, False),
        (200, 5, False, False),
        (204, NO_BODY, True, False),
        (206, 5, True, False),
        (304, NO_BODY, True, False),
        (404, 5, True, False),
    ],
)
def test_answers_that_may_be_compressed(status: int, length: int, modern: bool, fit: bool) -> None:
    response = Response(status, length, True, modern, 0)
    asked = "Accept-Encoding: gzip"
    assert fits(request(asked), response) is fit
    assert not fits(request(), response)
    assert not fits(request(asked, version="1.0"), response)


@pytest.mark.parametrize(
    ("fields", "suited"),
    [
        (["Content-Type: text/html"], True),
        (["content-type:TEXT/HTML; charset=utf-8 "], True),
        (["Content-Type: text/css"], False),
        (["Content-Type: application/json"], True),
        (["Content-Type: application/jsonlines"], True),
        (["Content-Type: image/png"], True),
        (["Content-Type: multipart/mixed; boundary=x"], False),
        ([], False),
        (["Content-Type: text/html", "Content-Encoding: br"], False),
        (["Content-Type: text/html", "Cache-Control: no-cache, No-Transform"], False),
        (["Content-Type: text/html", "Cache-Control: no-transformation"], True),
        (["Content-Type: text/html", 'ETag: "x"'], True),
        (["Content-Type: text/html", 'ETag: W/"x"'], True),
        (["Content-Type: text/html", "ETag: x"], False),
        (["Content-Type: text/html", 'ETag: "x"', 'ETag: "x"'], False),
    ],
)
def test_heads_that_suit(fields: list[str], suited: bool) -> None:
    suit = suits(["text/html", "Application/JSON", "image/*", "multipart/*"])
    assert suit(answer(*fields)) is suited


def test_no_type_suits_nothing() -> None:
    assert not suits([])(HTML)


def test_the_head_of_a_compressed_answer() -> None:
    assert encoded(HTML, 5) == answer(
        "Content-Type: text/html",
        "Content-Encoding: gzip",
        "Vary: Accept-Encoding",
        "Transfer-Encoding: chunked",
    )
    chunked = answer("Transfer-Encoding: chunked", 'etag:"x"', "Vary: Origin")
    assert encoded(chunked, CHUNKED) == answer(
        "Transfer-Encoding: chunked",
        'etag:W/"x"',
        "Vary: Origin",
        "Content-Encoding: gzip",
        "Vary: Accept-Encoding",
    )
    assert b'ETag: W/"y"\r\n' in encoded(answer('ETag: W/"y"'), 5)
