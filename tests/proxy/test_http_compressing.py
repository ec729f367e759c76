from __future__ import annotations

import gzip
import zlib

import pytest

from podway_proxy.http.compressing import Encoder, chunk
from podway_proxy.http.framing import Chunked, ChunkError
from podway_proxy.http.request import CHUNKED


def content(data: bytes) -> bytes:
    """What a reader of chunks gets; the last chunk must be there, and nothing behind it."""
    reader, pieces = Chunked(), list[bytes]()
    assert reader.feed(data, 0, len(data), pieces) == len(data)
    assert reader.done
    return b"".join(pieces)


def test_a_body_of_known_length() -> None:
    encoder = Encoder(5)
    out, stop = encoder.feed(b"..hello..", 2, 9, paused=False)
    assert stop == 7
    assert encoder.follower.done
    assert gzip.decompress(content(out)) == b"hello"


def test_a_chunked_body_keeps_its_trailers() -> None:
    encoder = Encoder(CHUNKED)
    body = b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n"
    out, stop = encoder.feed(body + b"surplus", 0, len(body) + 7, paused=False)
    assert stop == len(body)
    assert out.endswith(b"\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n")
    assert gzip.decompress(content(out)) == b"abc"


def test_a_pause_brings_out_all_that_came() -> None:
    encoder = Encoder(100)
    reader = zlib.decompressobj(31)

    def read(out: bytes) -> bytes:
        size, _, rest = out.partition(b"\r\n")
        assert len(rest) == int(size, 16) + 2
        return reader.decompress(rest[:-2])

    out, _ = encoder.feed(b"event 1", 0, 7, paused=True)
    assert read(out) == b"event 1"
    assert encoder.flush() == b""
    out, _ = encoder.feed(b"event 2", 0, 7, paused=False)
    assert read(out + encoder.flush() if not out else encoder.flush()) == b"event 2"
    assert encoder.feed(b"", 0, 0, paused=True) == (b"", 0)


def test_what_is_no_chunked_body_is_an_error() -> None:
    with pytest.raises(ChunkError):
        Encoder(CHUNKED).feed(b"x\r\n", 0, 3, paused=False)


def test_nothing_is_no_chunk() -> None:
    assert chunk(b"") == b""
    assert chunk(b"ab") == b"2\r\nab\r\n"
