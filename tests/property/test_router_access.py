"""Formats and lines of the access log, for any format and any request."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from podway_proxy.http.access import AccessRecord, Watched
from podway_proxy.http.request import Request
from podway_proxy.values import Arrival, Endpoint
from podway_router.access import captures, escapes
from podway_router.access.captures import Captures
from podway_router.access.facts import Busy, Facts, Names
from podway_router.access.format import FLAGGING, TEXT, compiled, parse, spelled
from podway_router.access.variables import VARIABLES

WORDS = st.sampled_from(
    [
        *(f"%{name}" for name in VARIABLES),
        *("%%", "%", " ", "  ", "a", '"', "{", "}", "[", "]", "%{+Q}", "%{-Q,+E}", "%{+X}o", "%{"),
        *("%[path]", "%[req.hdr(a),lower]", "%[", "%[x]", "%[req.hdr(", "(", ")", ",", "\n"),
    ]
)
FORMATS = st.lists(st.one_of(WORDS, st.text(max_size=5)), max_size=12).map("".join)
BYTES = st.binary(max_size=30).map(lambda data: data.replace(b"\r\n", b"").replace(b"\r", b""))


def facts(uri: bytes, value: bytes, answer: bytes, read: bool) -> Facts:
    head = b"GET " + uri + b" HTTP/1.1\r\nA: " + value + b"\r\nCookie: " + value + b"\r\n\r\n"
    request = Request(head, b"GET", b"/", True, [])
    said = b"HTTP/1.1 200 OK\r\nB: " + answer + b"\r\nSet-Cookie: " + answer + b"\r\n\r\n"
    watched = Watched(1.0, 1.1, 1.2, 1.3, 0.0, 0.0, 0.1, 10, 20, 0, said, ("::1", 5))
    arrival = Arrival(("::1", 4), ("127.0.0.1", 5), ("::1", 4))
    who = (("::1", 4), request if read else None, 200, "", "", "r", Endpoint("10.0.0.1", 80))
    record = AccessRecord(*who, 0.1, 1, arrival, watched)
    kept = Captures((("a", 20), ("none", 5)), (("b", 20),), ("", 20))
    return Facts(record, Names("f", "b", "s"), Busy(), 3, 1e9, kept)


@settings(deadline=None, max_examples=300)
@given(FORMATS)
@example("%{+Q}o %{-Q}ci %hr %hs %{+Q}r")
def test_a_format_reads_the_same_when_it_is_spelled_again(text: str) -> None:
    pieces = parse(text).pieces
    again = parse(spelled(pieces))
    assert again.pieces == pieces
    assert not again.faults
    assert not any(piece.kind == TEXT and not piece.text for piece in pieces)


@settings(deadline=None, max_examples=300)
@given(FORMATS, BYTES, BYTES, BYTES, st.booleans())
def test_no_line_holds_what_could_begin_another(
    text: str, uri: bytes, value: bytes, answer: bytes, read: bool
) -> None:
    line = compiled(text)(facts(uri, value, answer, read))
    pieces = parse(text).pieces
    literal = "".join(piece.text for piece in pieces if piece.kind == TEXT)
    for character in line:
        assert character.isprintable() or character in literal


@settings(deadline=None)
@given(BYTES, BYTES, BYTES)
def test_quoted_fields_stay_in_their_quotes(uri: bytes, value: bytes, answer: bytes) -> None:
    form = '{"r":"%r","h":"%[req.hdr(a)]","c":"%CC","k":"%hr%hs","j":"%[hdr(a),json(utf8s)]"}'
    told = json.loads(compiled(form)(facts(uri, value, answer, True)))
    assert sorted(told) == ["c", "h", "j", "k", "r"]


@given(st.text())
def test_escapes_are_printable(text: str) -> None:
    for escape in (escapes.escaped, escapes.header_escaped):
        said = escape(text)
        assert said.isascii()
        assert not set(said) & {'"', "\n", "\r", "\0"}


@given(st.lists(st.sampled_from(["+Q", "-Q", "+E", "+X", "-M"])))
def test_flags_last_until_taken_away(words: list[str]) -> None:
    text = f"%{{{','.join(words)}}}o %ci"
    (flags, *_) = parse(text).pieces
    assert flags.kind == FLAGGING
    said = compiled(text)(facts(b"/", b"", b"", True))
    quotes = [word for word in words if word[1] == "Q"]
    assert said.startswith('"') == (quotes[-1:] == ["+Q"])


@given(BYTES, st.integers(1, 40))
def test_captures_are_cut(value: bytes, most: int) -> None:
    head = b"GET / HTTP/1.1\r\nA: " + value + b"\r\n\r\n"
    (found,) = captures.captured(head, (("a", most),))
    assert len(found) <= most
