from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.http.request import CHUNKED, NO_BODY, UNTIL_CLOSE
from podway_proxy.http.response import ResponseError, read_response


def head(*lines: bytes, line: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((line, *lines)) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "method", "length", "keep_alive"),
    [
        (head(b"Content-Length: 5"), b"GET", 5, True),
        (head(b"content-length:5 "), b"GET", 5, True),
        (head(b"Content-Length: 5", b"Content-Length: 5"), b"GET", 5, True),
        (head(b"Content-Length: 5"), b"HEAD", NO_BODY, True),
        (head(), b"HEAD", NO_BODY, True),
        (head(b"Transfer-Encoding: Chunked"), b"GET", CHUNKED, True),
        (head(b"Transfer-Encoding: chunked"), b"HEAD", NO_BODY, True),
        (head(), b"GET", UNTIL_CLOSE, False),
        (head(b"Connection: keep-alive"), b"GET", UNTIL_CLOSE, False),
        (head(b"Content-Length: 5", b"Connection: close"), b"GET", 5, False),
        (head(b"Content-Length: 5", b"Connection: x, Close"), b"GET", 5, False),
        (
            head(b"Connection: close", b"Connection: keep-alive", b"Content-Length: 5"),
            b"GET",
            5,
            False,
        ),
        (head(b"Content-Length: 5", line=b"HTTP/1.0 200 OK"), b"GET", 5, False),
        (head(line=b"HTTP/1.1 204 No Content"), b"GET", NO_BODY, True),
        (head(b"Content-Length: 9", line=b"HTTP/1.1 304 Not Modified"), b"GET", NO_BODY, True),
        (head(line=b"HTTP/1.1 200"), b"GET", UNTIL_CLOSE, False),
        (head(line=b"HTTP/1.1 200 "), b"GET", UNTIL_CLOSE, False),
        (head(line=b"HTTP/1.1 100 Continue"), b"GET", NO_BODY, True),
    ],
)  # fmt: skip
def test_framing(data: bytes, method: bytes, length: int, keep_alive: bool) -> None:
    response = read_response(data, method)
    assert (response.length, response.keep_alive) == (length, keep_alive)


@pytest.mark.parametrize(
    "data",
    [
        head(b"Content-Length: 5", b"Content-Length: 6"),
        head(b"Content-Length: 5, 5"),
        head(b"Content-Length:"),
        head(b"Content-Length: -5"),
        head(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        head(b"Transfer-Encoding: gzip"),
        head(b"Transfer-Encoding: chunked", line=b"HTTP/1.0 200 OK"),
        head(b"Content-Length: 5", line=b"HTTP/1.1 101 Switching"),
        head(b"X : y"),
        head(b"X: y", b" z"),
        head(b"X: y\n Z: w"),
        head(b"X: \0"),
        head(line=b"HTTP/1.1 20 OK"),
        head(line=b"HTTP/1.1 600 OK"),
        head(line=b"HTTP/1.1  200 OK"),
        head(line=b"HTTP/2 200"),
        head(line=b"ICY 200 OK"),
        b"HTTP/1.1 200 OK\n\n",
    ],
)
def test_ambiguous_answers_are_errors(data: bytes) -> None:
    with pytest.raises(ResponseError):
        read_response(data, b"GET")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_raises_nothing_else(data: bytes) -> None:
    for candidate in (data, b"HTTP/1.1 200 OK\r\n" + data + b"\r\n\r\n"):
        try:
            read_response(candidate, b"GET")
        except ResponseError:
            continue
