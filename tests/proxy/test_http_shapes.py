from __future__ import annotations

import pytest

from podway_proxy.http import shapes
from podway_proxy.http.shapes import EACH, FIELDS, KEPT, OFTEN, Shapes, of_answer, of_request

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"


def found(known: Shapes, head: bytes, times: int) -> list[bool]:
    return [known.find(head) is not None for _ in range(times)]


def test_a_shape_is_made_when_its_names_came_often() -> None:
    known = Shapes(of_request)
    assert found(known, HEAD, EACH * OFTEN - 1) == [False] * (EACH * OFTEN - 1)
    shape = known.find(HEAD)
    assert shape is not None
    assert shape is known.recent
    match = shape.match(HEAD.replace(b"*/*", b"text/html").replace(b" / ", b" /x?y "))
    assert match is not None
    assert match[1] == b"a"
    assert found(known, HEAD, EACH) == [*[False] * (EACH - 1), True]


@pytest.mark.parametrize(
    "other",
    [
        HEAD.replace(b"Accept", b"accept"),
        HEAD.replace(b"Host: a", b"Host: A"),
        HEAD.replace(b"Host: a", b"Host:  a"),
        HEAD.replace(b"*/*", b"\x01"),
        HEAD.replace(b"*/*", b"*/*\r\nTE: trailers"),
        HEAD.replace(b"GET", b"HEAD"),
        HEAD.replace(b"1.1", b"1.0"),
        HEAD.replace(b" / ", b" /#x "),
        HEAD + b"x",
    ],
)
def test_what_differs_is_not_matched(other: bytes) -> None:
    shape = of_request([b"Host", b"Accept"], b"")
    assert shape is not None
    assert shape.match(HEAD)
    assert not shape.match(other)


def test_a_connection_belongs_to_the_shape() -> None:
    closing = b"\r\nConnection: close\r\n"
    shape = of_request([b"Host", b"Connection"], closing)
    assert shape is not None
    assert shape.cut == closing
    assert shape.match(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert not shape.match(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")


def test_heads_with_very_many_fields_have_none() -> None:
    known = Shapes(of_answer)
    head = b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * FIELDS + b"Content-Length: 2\r\n\r\n"
    assert not any(found(known, head, 2 * EACH * OFTEN))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "EACH", 1)
    known = Shapes(of_answer)
    for number in range(3 * KEPT):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-%d: 1\r\n\r\n" % number
        found(known, head, OFTEN if number % 2 else 1)
        assert len(known._made) <= KEPT
        assert len(known._seen) <= KEPT
