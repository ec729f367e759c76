"""Fields of a head: found, taken out, renamed."""

from __future__ import annotations

import pytest

from podway_proxy.http.fields import last_value, mark, renamed, with_lines, without

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX-One: 1, 2\r\nx-one: 3\r\nX-One-More: x-one:\r\n\r\n"


def last(*values: str) -> bytes:
    """What is fetched of a field X with these lines."""
    lines = "".join(f"X:{value}\r\n" for value in values)
    head = f"GET / HTTP/1.1\r\n{lines}Host: a\r\n\r\n".encode()
    return last_value(head, head.lower(), mark(b"x"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], b""),
        ([" a"], b"a"),
        ([" a, b", " c ,  D  "], b"D"),
        ([" a", ""], b""),
        ([" a", ", ,"], b""),
        ([" a, "], b""),
        ([",a"], b"a"),
        (['a,"b,c"'], b'"b,c"'),
        (['"a,b'], b'"a,b'),
        (['"a\\",b",c'], b"c"),
        (['"a,b\\'], b'"a,b\\'),
        (['a"x,y"z'], b'a"x,y"z'),
        (["a", '"'], b'"'),
        (["\ta\t"], b"a"),
    ],
)
def test_the_last_value_as_haproxy_2_6_gives_it(values: list[str], expected: bytes) -> None:
    assert last(*values) == expected


def test_a_field_is_taken_out_in_all_its_lines_and_no_other() -> None:
    head, low = without(HEAD, HEAD.lower(), mark(b"X-One"))
    assert head == b"GET / HTTP/1.1\r\nHost: a\r\nX-One-More: x-one:\r\n\r\n"
    assert low == head.lower()
    assert without(head, low, mark(b"X-One")) == (head, low)


def test_a_name_is_written_otherwise() -> None:
    head = renamed(HEAD, HEAD.lower(), mark(b"x-one"), b"X-ONE")
    assert head == HEAD.replace(b"X-One: 1", b"X-ONE: 1").replace(b"x-one: 3", b"X-ONE: 3")


def test_lines_go_behind_all_others() -> None:
    assert with_lines(b"A\r\n\r\n", b"B: c\r\n") == b"A\r\nB: c\r\n\r\n"
