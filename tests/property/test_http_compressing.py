"""Any body in any pieces with any pauses: a reader gets what was sent, trailers included."""

from __future__ import annotations

import gzip

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.http.compressing import Encoder
from podway_proxy.http.framing import Chunked
from podway_proxy.http.request import CHUNKED

PIECES = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


def encode(wire: bytes, length: int, cuts: list[tuple[int, bool]]) -> bytes:
    """Feed `wire` in pieces of these sizes, the rest at once."""
    encoder, out, at = Encoder(length), b"", 0
    for size, paused in [*cuts, (len(wire), False)]:
        if encoder.follower.done:
            break
        end = min(len(wire), at + size)
        made, at = encoder.feed(wire, at, end, paused)
        assert at == end
        out += made
        if paused:
            assert encoder.flush() == b""
    assert encoder.follower.done
    assert at == len(wire)
    return out


@settings(max_examples=150, deadline=None)
@given(
    PIECES,
    st.booleans(),
    st.sampled_from([b"", b"X-Sum: 12\r\n"]),
    st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=12),
)
def test_any_split(
    pieces: list[bytes], chunked: bool, trailers: bytes, cuts: list[tuple[int, bool]]
) -> None:
    body = b"".join(pieces)
    if chunked:
        chunks = b"".join(b"%x;n=v\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        wire, length = chunks + b"0\r\n" + trailers + b"\r\n", CHUNKED
    else:
        wire, length = body, len(body)
    if not wire:
        return
    out = encode(wire, length, cuts)
    reader, content = Chunked(), list[bytes]()
    assert reader.feed(out, 0, len(out), content) == len(out)
    assert reader.done
    assert gzip.decompress(b"".join(content)) == body
    assert out.endswith(b"0\r\n" + (trailers if chunked else b"") + b"\r\n")
