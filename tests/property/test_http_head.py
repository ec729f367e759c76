from __future__ import annotations

from contextlib import suppress

import h11
from hypothesis import example, given, settings
from hypothesis import strategies as st

from podway_proxy.http.head import _fast, _slow, read_head
from podway_proxy.http.refuse import Refusal, notable, refuse, refuse_beginning
from podway_proxy.http.request import CHUNKED, Common, Request

QUICK = settings(max_examples=150, deadline=None)

FIELD = st.sampled_from(
    [
        b"Host: a", b"host: web.Apps.test:8080", b"Host: b", b"Content-Length: 3",
        b"Content-Length: 0", b"content-length: 12 ", b"Transfer-Encoding: chunked",
        b"transfer-encoding: CHUNKED", b"Connection: close", b"Connection: keep-alive",
        b"Connection: Upgrade, keep-alive", b"Upgrade: websocket", b"Upgrade: h2c", b"TE: trailers",
        b"Expect: 100-continue", b"X-Forwarded-For: 1.2.3.4", b"Proxy: x", b"X-SSL-Client: y",
        b"Cookie: a=b; c=d", b"X: \xff", b"Y:", b"Foo : bar", b" folded", b"Content-Length: +3",
        b"Transfer-Encoding: gzip, chunked", b"A: b\nHost: c", b"A: b\rc", b"A: \0", b": x",
        b"nocolon",
    ]
)  # fmt: skip
LINE = st.builds(
    b" ".join,
    st.tuples(
        st.sampled_from(
            [b"GET", b"POST", b"HEAD", b"OPTIONS", b"PATCH", b"BREW", b"CONNECT", b"G\0"]
        ),
        st.sampled_from(
            [
                b"/",
                b"/a/b?c=d",
                b"/%2f//../x",
                b"*",
                b"http://a/x",
                b"http://a?y",
                b"http://b",
                b"/#",
                b"x",
            ]
        ),
        st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0"]),
    ),
)
HEAD = st.builds(
    lambda line, fields: b"\r\n".join([line, *fields]) + b"\r\n\r\n",
    LINE,
    st.lists(FIELD, max_size=6),
)
MANGLED = st.builds(
    lambda head, at, junk: head[: at % len(head)] + junk + head[at % len(head) + 1 :],
    HEAD,
    st.integers(0, 400),
    st.binary(max_size=2),
)


NEUTRAL = st.sampled_from(
    [b"Cookie: a=b; c=d", b"X: \xff", b"Y:", b"Z:\t", b"Accept: */*", b"hostile: x", b"TE-x: y"]
) | st.builds(
    lambda name, value: name.encode() + b":" + value,
    st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=4),
    st.binary(max_size=4),
)
COMMON = st.builds(
    lambda line, before, host, usual, after: (
        b"\r\n".join([line, *before, *host, *usual, *after]) + b"\r\n\r\n"
    ),
    st.builds(
        lambda method, target: method + b" " + target + b" HTTP/1.1",
        st.sampled_from([b"GET", b"POST", b"HEAD", b"PATCH", b"BREW", b"PRI", b"CONNECT", b"get"]),
        st.sampled_from([b"/", b"/a/b?c=d", b"/%2f//../x", b"/?", b"/a?b?c", b'/"<>^`{|}~', b"//"])
        | st.binary(max_size=8).map(lambda junk: b"/" + junk),
    ),
    st.lists(NEUTRAL, max_size=2),
    st.lists(
        st.sampled_from(
            [
                b"Host: a",
                b"host: web.Apps.test:8080",
                b"HOST:\t[::1]:1 ",
                b"Host: a b",
                b"Host: a:0",
            ]
        ),
        min_size=1,
        max_size=2,
    ),
    st.lists(
        st.sampled_from(
            [b"Connection: close", b"connection:keep-alive", b"Connection: x", b"CONNECTION: Close"]
        ),
        max_size=2,
    ),
    st.lists(NEUTRAL | FIELD, max_size=2),
)


def same(one: Request, other: Request) -> bool:
    return all(getattr(one, slot, None) == getattr(other, slot, None) for slot in Request.__slots__)


@QUICK
@given(HEAD | MANGLED)
@example(b"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
def test_both_paths_read_alike(head: bytes) -> None:
    if refuse(head) is not None:
        return
    fast, slow = _fast(head, notable(head)), _slow(head, notable(head))
    if fast is not None and isinstance(slow, Request):
        assert same(fast, slow)


@settings(max_examples=600, deadline=None)
@given(COMMON)
def test_a_common_head_reads_as_the_parsers_read_it(head: bytes) -> None:
    request = read_head(head)
    if isinstance(request, Common):
        assert refuse(head) is None
        fast, slow = _fast(head, notable(head)), _slow(head, notable(head))
        assert isinstance(slow, Request)
        assert same(request, slow)
        assert fast is None or same(request, fast)


def test_the_usual_is_common() -> None:
    for connection in (b"", b"Connection: close\r\n", b"connection: Keep-Alive\r\n"):
        head = b"POST /a?b HTTP/1.1\r\n" + connection + b"Host: A\r\nX-Y: z\r\n\r\n"
        assert isinstance(read_head(head), Common)
    assert not isinstance(read_head(head.replace(b"X-Y", b"TE"), 100), Common)
    assert isinstance(read_head(head, 2), Refusal)


@QUICK
@given(HEAD | MANGLED)
def test_the_fast_path_says_what_h11_says(head: bytes) -> None:
    """Field by field, against h11's own reading and not our scan."""
    if refuse(head) is not None:
        return
    request = _fast(head, notable(head))
    if request is None:
        return
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(head)
    event = connection.next_event()
    assert isinstance(event, h11.Request)
    fields = [(name, value.lower()) for name, value in event.headers]
    assert request.method == event.method
    assert (b"transfer-encoding", b"chunked") in fields or request.length != CHUNKED
    lengths = [int(value) for name, value in fields if name == b"content-length"]
    if request.length != CHUNKED:
        assert request.length == (lengths[0] if lengths else 0)
    hosts = [value for name, value in fields if name == b"host"]
    if event.target[:1] in b"/*":
        assert request.target == event.target
        assert request.named == (hosts[0] if hosts else b"")
    close = any(b"close" in value for name, value in fields if name == b"connection")
    if event.http_version == b"1.1":
        assert request.keep_alive == (not close)


@QUICK
@given(HEAD | MANGLED | COMMON | st.binary(max_size=200))
def test_what_the_rules_refuse_no_path_accepts(head: bytes) -> None:
    refusal = refuse(head)
    result = read_head(head)
    if refusal is not None:
        assert result == refusal
    elif isinstance(result, Request):
        assert result.host or not result.modern
        assert result.path.startswith((b"/", b"*"))


@QUICK
@given(HEAD | MANGLED, st.integers(0, 200))
def test_a_beginning_is_refused_only_if_the_whole_is(head: bytes, at: int) -> None:
    whole = refuse(head)
    beginning = refuse_beginning(head[:at], 24_576)
    if whole is None:
        assert beginning is None


@QUICK
@given(st.binary(max_size=300))
def test_garbage_never_raises(data: bytes) -> None:
    read_head(data)
    read_head(data + b"\r\n\r\n")
    read_head(b"GET / HTTP/1.1\r\nHost: a\r\n" + data + b"\r\n\r\n")
    assert isinstance(refuse_beginning(data, 100), Refusal | None)


def test_h11_alone_takes_what_the_rules_refuse() -> None:
    """Why our own refusals come first: the library accepts a folded field and a bare LF."""
    for head in (
        b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
    ):
        connection = h11.Connection(h11.SERVER)
        with suppress(h11.RemoteProtocolError):
            connection.receive_data(head)
            assert isinstance(connection.next_event(), h11.Request)
        assert refuse(head) is not None
