from __future__ import annotations

import hashlib
import io

import pytest

from podway.pods.answer import Request
from podway.pods.http import HEAD_LINES, UnreadableError, keeps, read_request

BLANK = Request("", "", "", (), ("127.0.0.1", 1), ("127.0.0.1", 2))


class Wire(io.BytesIO):
    """What is written goes elsewhere, so that it does not overwrite what is to be read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.written = b""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.written += data
        return len(data)


def test_reads_requests_one_after_the_other_and_then_none() -> None:
    wire = Wire(
        b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"
    )
    first, second = read_request(wire, BLANK), read_request(wire, BLANK)
    assert first is not None
    assert (first.method, first.target, first.header("host")) == ("GET", "/a", "x")
    assert second is not None
    assert second.body_sha256 == hashlib.sha256(b"hi").hexdigest()
    assert read_request(wire, BLANK) is None


def test_chunked_bodies_with_trailers() -> None:
    wire = Wire(
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nGET /next HTTP/1.1\r\n\r\n"
    )
    request = read_request(wire, BLANK)
    assert request is not None
    assert request.body_bytes == 13
    following = read_request(wire, BLANK)
    assert following is not None
    assert following.target == "/next"


def test_expect_is_answered_before_the_body_is_read() -> None:
    wire = Wire(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx")
    assert read_request(wire, BLANK) is not None
    assert wire.written == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x",
        b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nx",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (HEAD_LINES + 1) + b"\r\n",
    ],
)
def test_what_it_does_not_understand_ends_the_connection(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_request(Wire(data), BLANK)


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("HTTP/1.1", "", True),
        ("HTTP/1.1", "Close", False),
        ("HTTP/1.0", "", False),
        ("HTTP/1.0", "keep-alive", True),
    ],
)
def test_keep_alive(version: str, connection: str, kept: bool) -> None:
    headers = (("Connection", connection),) if connection else ()
    assert keeps(BLANK._replace(version=version, headers=headers)) is kept
