"""Paths for pods; the expected ones were read off HAProxy 2.6 with the template's rules."""

from __future__ import annotations

import pytest

from podway_proxy.http.request import Request
from podway_proxy.values import Arrival
from podway_router.rewriting import fault, outgoing, rewriter, target_of

ARRIVAL = Arrival(("192.0.2.1", 1), ("192.0.2.2", 80), ("192.0.2.1", 1))
ASKED = ("/sub", "/sub/", "/sub/x", "/sub//x", "/sub///x")


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("/sub", "/", ("/", "/", "/x", "//x", "///x")),
        ("/sub", "/new", ("/new", "/new/", "/new/x", "/new//x", "/new///x")),
        ("/sub", "/new/", ("/new/", "/new//", "/new//x", "/new///x", "/new////x")),
        ("/sub/", "/", ("/sub", "/", "/x", "/x", "//x")),
        ("/sub/", "/new", ("/sub", "/new", "/newx", "/new/x", "/new//x")),
        ("/sub/", "/new/", ("/sub", "/new/", "/new/x", "/new//x", "/new///x")),
        ("", "/", ASKED),
        ("", "/new", tuple("/new" + asked for asked in ASKED)),
        ("/", "/", ASKED),
        ("/", "/new", tuple("/new" + asked[1:] for asked in ASKED)),
        ("/", "/new/", tuple("/new" + asked for asked in ASKED)),
        ("/sub", "//n", ("//n", "//n/", "//n/x", "//n//x", "//n///x")),
        ("/sub", "/q?x=y", ("/q?x=y", "/q?x=y/", "/q?x=y/x", "/q?x=y//x", "/q?x=y///x")),
        ("/sub", "/a#b", ("/a",) * 5),
    ],
)
def test_as_haproxy(path: str, target: str, expected: tuple[str, ...]) -> None:
    rewrite = rewriter(path, target)
    assert rewrite is not None
    assert tuple(rewrite(asked.encode()).decode() for asked in ASKED) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a%41", "/a%41"),
        ("/a%%41", "/a%41"),
        ("/a%%%41", "/a%%%41"),
        ("/a'b\"c", "/abc"),
        ('/a\\"b', '/a"b'),
        ("/a\\'b", "/a'b"),
        ("/a\\b\\", "/ab"),
    ],
)
def test_quotes_and_percents_as_the_template_takes_them(text: str, expected: str) -> None:
    assert target_of(text) == (expected, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin"),
        ("x", "does not begin"),
        ("/a b", "no path may hold"),
        ("/a\r\nX: y", "no path may hold"),
        ("/ü", "no path may hold"),
        ("/a\\#b", "no path may hold"),
        ("/a\\\\1", "two backslashes"),
        ("/" + "a" * 2048, "longer than"),
    ],
)
def test_what_is_no_target(text: str, says: str) -> None:
    assert says in fault(text)
    assert rewriter("/", text) is None
    assert outgoing("/", text) is None


def test_regular_expressions_in_a_path_are_none() -> None:
    rewrite = rewriter("/a+b(.*)", "/n")
    assert rewrite is not None
    assert rewrite(b"/a+b(.*)/x") == b"/n/x"
    assert rewrite(b"/aab") == b"/aab"


@pytest.mark.parametrize(
    ("target", "expected"),
    [(b"/sub/x?y=/sub/z", b"/x?y=/sub/z"), (b"/sub?q", b"/?q"), (b"*", b"*")],
)
def test_only_the_path_of_the_request_line_changes(target: bytes, expected: bytes) -> None:
    act = outgoing("/sub", "/")
    assert act is not None
    head = b"POST " + target + b" HTTP/1.1\r\nHost: /sub/\r\n\r\n"
    request = Request(head, b"POST", target, True, [(b"host", b"a")])
    assert act(request, ARRIVAL, head) == head.replace(target, expected, 1)
