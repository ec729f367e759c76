from __future__ import annotations

from podway_proxy.http.repeat import BLOCK_BYTES, BLOCKS, TOLD, Reader, remember
from podway_proxy.http.request import Request


def _read(reader: Reader, fields: bytes) -> Request:
    request = reader.read(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n", 100)
    assert isinstance(request, Request)
    return request


def test_the_memory_is_bounded() -> None:
    reader = Reader()
    first = _read(reader, b"")
    for number in range(BLOCKS):
        _read(reader, b"X: %d\r\n" % number)
    assert _read(reader, b"").told is not first.told


def test_a_long_block_is_not_remembered() -> None:
    assert _read(Reader(), b"X: " + b"x" * BLOCK_BYTES + b"\r\n").told is None


def test_a_body_is_not_remembered() -> None:
    assert _read(Reader(), b"Content-Length: 3\r\n").told is None


def test_what_endpoints_got_is_bounded() -> None:
    request = _read(Reader(), b"")
    for number in range(TOLD + 1):
        remember(request, (f"127.0.0.{number}", 80, "http"), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert request.told == {("127.0.0.8", 80, "http"): b"Host: a\r\n\r\n"}
