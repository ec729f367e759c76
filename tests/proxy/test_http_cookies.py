from __future__ import annotations

import pytest

from podway_proxy.http.cookies import sent, set_line, spelt, storable, without, without_set

BEGINS = b"stk="


def head(*fields: str, first: str = "GET / HTTP/1.1") -> bytes:
    return "\r\n".join((first, *fields, "", "")).encode("latin-1")


@pytest.mark.parametrize(
    ("fields", "values", "left"),
    [
        (["Host: a"], [], ["Host: a"]),
        (["Cookie: stk=v"], [b"v"], []),
        (["cOOkie:stk=v"], [b"v"], []),
        (["Cookie: a=1; stk=v; b=2"], [b"v"], ["Cookie: a=1; b=2"]),
        (["Cookie: stk=v; b=2"], [b"v"], ["Cookie: b=2"]),
        (["Cookie: b=2; stk=v"], [b"v"], ["Cookie: b=2"]),
        (["Cookie: a=1;stk=v;b=2"], [b"v"], ["Cookie: a=1;b=2"]),
        (["Cookie: stk=v; "], [b"v"], []),
        (["Cookie: stk=; b=2"], [b""], ["Cookie: b=2"]),
        (["Cookie: a=1; stk=v \t; b"], [b"v"], ["Cookie: a=1; b"]),
        (["Cookie: stk=v; a=1; stk=w"], [b"v", b"w"], ["Cookie: a=1"]),
        (["Cookie: a", "Cookie: stk=v", "Cookie: c"], [b"v"], ["Cookie: a", "Cookie: c"]),
        (["Cookie: stk=v", "Cookie: stk=w"], [b"v", b"w"], []),
        (["Cookie: STK=v; xstk=v; stk; a=stk=v"], [], ["Cookie: STK=v; xstk=v; stk; a=stk=v"]),
        (["X-Cookie: stk=v", "X: stk=v"], [], ["X-Cookie: stk=v", "X: stk=v"]),
        (['Cookie: stk="v"; a="b'], [b'"v"'], ['Cookie: a="b']),
    ],
)  # fmt: skip
def test_a_cookie_is_read_and_taken_out(
    fields: list[str], values: list[bytes], left: list[str]
) -> None:
    request = head("Host: x", *fields, "X-Last: 1")
    assert sent(request, BEGINS) == values
    assert without(request, BEGINS) == head("Host: x", *left, "X-Last: 1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Cookie: stk=vw", b"vw"),
        ("Cookie: a=1; stk=vw; b", b"vw"),
        ("Cookie: stk=", b""),
        ("cookie: stk=vw", b""),
        ("Cookie: a=b: stk=vw", b""),
        ("Cookie: xstk=vw", b""),
        ("Cookie: a=1;stk=vw", b""),
        ("X: stk=vw", b""),
    ],
)
def test_what_browsers_send_is_found_at_once(field: str, value: bytes) -> None:
    assert spelt(head("Host: x", field), BEGINS) == value


def test_the_request_line_is_no_cookie() -> None:
    request = head("Host: x", first="GET /?stk=v;stk=w HTTP/1.1")
    assert sent(request, BEGINS) == []
    assert without(request, BEGINS) == request


def test_what_the_pod_sets_under_that_name_is_taken_out() -> None:
    others = "Set-Cookie: a=1", "X: stk=", "Set-Cookie: b=stk=1"
    answer = head("set-cookie:  stk=v; path=/", *others, "Set-Cookie: stk=", first="HTTP/1.1 200")
    assert without_set(answer, BEGINS) == head(*others, first="HTTP/1.1 200")


def test_the_line_that_sets_it() -> None:
    line = set_line(BEGINS, b"v", b"; path=/; HttpOnly")
    assert line == b"Set-Cookie: stk=v; path=/; HttpOnly\r\n"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], False),
        (["Expires: x"], True),
        (["ETag: x"], True),
        (["Last-Modified: x"], True),
        (["Cache-Control: max-age=9"], True),
        (["cache-control: PUBLIC , max-age=9"], True),
        (["Cache-Control: max-age=0", "Expires: x"], False),
        (["Cache-Control: max-age=0, s-maxage=9"], True),
        (["Cache-Control: s-maxage=0", "Expires: x"], False),
        (["Cache-Control: private", "Expires: x"], False),
        (["Cache-Control: no-store", "Expires: x"], False),
        (["Cache-Control: no-cache=x, public", "Expires: x"], True),
        (["Cache-Control: public, no-cache", "Expires: x"], False),
        (['Cache-Control: no-cache="set-cookie"', "Expires: x"], True),
        (["Pragma: no-cache ", "Expires: x"], False),
        (["X-Expires: x"], False),
    ],
)
def test_what_a_shared_cache_could_keep(fields: list[str], expected: bool) -> None:
    assert storable(b"GET", 200, head(*fields, first="HTTP/1.1 200 OK")) is expected


def test_method_and_status_count_unless_the_answer_is_public() -> None:
    lasting = head("Expires: x")
    assert storable(b"HEAD", 404, lasting)
    assert not storable(b"POST", 200, lasting)
    assert not storable(b"GET", 302, lasting)
    assert storable(b"GET", 302, head("Cache-Control: public", "Expires: x"))
