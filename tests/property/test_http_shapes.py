"""What a shape matches is a part of what the general expression matches, and reads alike."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.http.refuse import common, scan
from podway_proxy.http.response import common as common_answer
from podway_proxy.http.shapes import of_answer, of_request

FIELD = st.sampled_from(
    [
        b"Accept: */*", b"User-Agent:x", b"Cookie: a=b; c=d", b"X: \xff\t", b"Y:", b"Referer: http",
        b"Date: Sat, 21 Nov 2026 23:40:00 GMT", b"Server: nginx", b"Set-Cookie: a", b"a.b+c: (d)",
    ]
)  # fmt: skip
CUTS = [b"", b"\r\nConnection: close\r\n", b"\r\nConnection: keep-alive\r\n"]
JUNK = st.one_of(
    st.binary(max_size=2),
    st.sampled_from([b"\r\n", b"\r\nHost: b\r\n", b"\r\nTE: x", b"\r\nConnection: close", b": "]),
)
SPOTS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), JUNK), max_size=2)


def mangled(head: bytes, spots: list[tuple[int, int, bytes]]) -> bytes:
    for at, gone, junk in spots:
        at %= len(head)
        head = head[:at] + junk + head[at + gone :]
    return head


def names_of(head: bytes) -> list[bytes]:
    return re.findall(rb"\n([^:\r]++):", head.partition(b"\r\n\r\n")[0])


@settings(max_examples=500, deadline=None)
@given(st.lists(FIELD, max_size=4), st.lists(FIELD, max_size=3), st.sampled_from(CUTS), SPOTS)
def test_requests(
    before: list[bytes], behind: list[bytes], cut: bytes, spots: list[tuple[int, int, bytes]]
) -> None:
    fields = [*before, b"Host: a.b:80", *([cut[2:-2]] if cut else []), *behind]
    head = b"\r\n".join([b"GET /x?y HTTP/1.1", *fields]) + b"\r\n\r\n"
    shape = of_request(names_of(head), cut)
    assert shape is not None
    assert shape.match(head)
    other = mangled(head, spots)
    match = shape.match(other)
    if match is not None:
        general = common(other)
        assert general is not None
        assert general[1] == b"GET"
        found = dict(scan(other.lower()))
        assert found.pop(b"host") == match[1]
        assert found == ({b"connection": cut[14:-2]} if cut else {})
        assert len(scan(other.lower())) == (2 if cut else 1)
        assert not cut or other.count(cut) == 1


@settings(max_examples=500, deadline=None)
@given(st.lists(FIELD, max_size=3), st.lists(FIELD, max_size=3), st.booleans(), SPOTS)
def test_answers(
    before: list[bytes], behind: list[bytes], kept: bool, spots: list[tuple[int, int, bytes]]
) -> None:
    fields = [
        *before,
        b"content-length: 2",
        *([b"Connection: keep-alive"] if kept else []),
        *behind,
    ]
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *fields]) + b"\r\n\r\n"
    shape = of_answer(names_of(head), b"")
    assert shape is not None
    assert shape.match(head + b"ok")
    other = mangled(head, spots) + b"ok"
    match, general = shape.match(other), common_answer(other)
    if match is not None:
        assert general is not None
        assert general.groups() == match.groups()
        assert [general.span(at) for at in range(4)] == [match.span(at) for at in range(4)]
