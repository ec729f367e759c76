from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.http.framing import Chunked, ChunkError, begin_body
from podway_proxy.http.request import CHUNKED

QUICK = settings(max_examples=100, deadline=None)

CHUNK = st.builds(
    lambda data, upper, zeros, extension: (
        b"0" * zeros
        + (b"%X" if upper else b"%x") % len(data)
        + extension
        + b"\r\n"
        + data
        + b"\r\n"
    ),
    st.binary(min_size=1, max_size=40),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([b"", b";a", b";a=b", b';q="x y"', b";\xc3\xa4"]),
)
BODY = st.builds(
    lambda chunks, last, trailers: b"".join(chunks) + last + b"".join(trailers) + b"\r\n",
    st.lists(CHUNK, max_size=5),
    st.sampled_from([b"0\r\n", b"000\r\n", b"0;x=y\r\n"]),
    st.lists(st.sampled_from([b"X: y\r\n", b"Sum: 1\r\n"]), max_size=2),
)
CUTS = st.lists(st.integers(1, 30), max_size=30)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(data[at : at + cut])
        at += cut
    return [piece for piece in [*pieces, data[at:]] if piece]


def follow(pieces: list[bytes]) -> tuple[bytes, bytes, bytes, bool]:
    """Feed all pieces: (what belongs to the body, its content, what is behind it, done)."""
    follower = Chunked()
    body, behind = b"", b""
    content: list[bytes] = []
    for piece in pieces:
        end = follower.feed(piece, 0, len(piece), content)
        body += piece[:end]
        behind += piece[end:]
    return body, b"".join(content), behind, follower.done


def outcome(pieces: list[bytes]) -> object:
    try:
        return follow(pieces)
    except ChunkError:
        return "refused"


@QUICK
@given(BODY, st.binary(max_size=20), CUTS)
def test_any_split_gives_the_same_body(body: bytes, behind: bytes, cuts: list[int]) -> None:
    got = follow(split(body + behind, cuts))
    assert got == follow([body + behind])
    assert (got[0], got[2], got[3]) == (body, behind, True)


@QUICK
@given(BODY)
def test_the_content_is_what_h11_reads(body: bytes) -> None:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert isinstance(connection.next_event(), h11.Request)
    connection.receive_data(body)
    content = b""
    while isinstance(event := connection.next_event(), h11.Data):
        content += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert follow([body])[1] == content


@QUICK
@given(BODY, st.integers(0, 300), st.binary(max_size=3), CUTS)
def test_a_mangled_body_is_read_alike_over_any_split(
    body: bytes, at: int, junk: bytes, cuts: list[int]
) -> None:
    at %= len(body)
    mangled = body[:at] + junk + body[at + 1 :]
    assert outcome(split(mangled, cuts)) == outcome([mangled])


@QUICK
@given(st.binary(max_size=200), CUTS)
def test_garbage_raises_nothing_but_its_own_error(data: bytes, cuts: list[int]) -> None:
    outcome(split(data, cuts))


@QUICK
@given(BODY, st.integers(0, 200))
def test_an_incomplete_body_is_not_done(body: bytes, cut: int) -> None:
    cut %= len(body)
    assert not follow([body[:cut]])[3]
    begun = begin_body(CHUNKED, b"head" + body[:cut], 4)
    assert (begun.end, begun.left) == (4 + cut, CHUNKED)


@pytest.mark.parametrize(
    "data",
    [b"5\nhello\n0\n\n", b"5\r\nhelloX", b"0x5\r\n", b"\r\n", b"-1\r\n", b"5 \r\n", b"5 ;a\r\n",
     b"0" * 300,
     b"10000000000000000\r\n", b"0\r\n folded\r\n", b"0\r\nHost: b\r\n", b"0\r\nX: a\0\r\n"],
)  # fmt: skip
def test_refused(data: bytes) -> None:
    assert outcome([data]) == "refused"
    assert outcome([data[at : at + 1] for at in range(len(data))]) == "refused"


@given(st.integers(0, 50), st.binary(max_size=60))
def test_a_body_of_known_length_takes_that_much(length: int, data: bytes) -> None:
    body = begin_body(length, b"head" + data, 4)
    assert body.end - 4 == min(length, len(data))
    assert body.left == length - (body.end - 4)
