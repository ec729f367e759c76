from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.http.head import read_head
from podway_proxy.http.hop import outgoing
from podway_proxy.http.repeat import Reader, repeatable
from podway_proxy.http.request import Request

FIELD = st.sampled_from(
    [
        b"Host: a", b"host: web.Apps.test:8080", b"Host: b", b"Content-Length: 3",
        b"Content-Length: 0", b"Transfer-Encoding: chunked", b"Connection: close",
        b"Connection: keep-alive", b"Connection: Upgrade, keep-alive", b"Upgrade: websocket",
        b"TE: trailers", b"Expect: 100-continue", b"X-Forwarded-For: 1.2.3.4", b"Proxy: x",
        b"X-SSL-Client: y", b"Cookie: a=b; c=d", b"X: \xff", b"Y:",
    ]
)  # fmt: skip
FIELDS = st.lists(FIELD, max_size=4).map(
    lambda fields: b"".join(field + b"\r\n" for field in [b"Host: c", *fields]) + b"\r\n"
)
LINE = st.one_of(
    st.builds(
        lambda method, target, version: b" ".join((method, target, version)) + b"\r\n",
        st.sampled_from([b"GET", b"POST", b"HEAD", b"PATCH", b"BREW", b"CONNECT", b"PRI"]),
        st.sampled_from([b"/", b"/a/b?c=d", b"/%2f//../x", b"*", b"http://a/x", b"/#", b"/ x"]),
        st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"]),
    ),
    st.binary(max_size=12).map(lambda junk: b"GET /" + junk + b" HTTP/1.1\r\n"),
)
SLOTS = [slot for slot in Request.__slots__ if slot != "told"]


@settings(max_examples=300, deadline=None)
@given(LINE, LINE, FIELDS)
def test_repeated_fields_read_as_if_they_were_new(first: bytes, line: bytes, fields: bytes) -> None:
    reader = Reader()
    reader.read(first + fields, 100)
    head = line + fields
    again, anew = reader.read(head, 100), read_head(head)
    assert type(again) is type(anew)
    if isinstance(again, Request) and isinstance(anew, Request):
        assert [getattr(again, slot) for slot in SLOTS] == [getattr(anew, slot) for slot in SLOTS]
        assert outgoing(again, b"F: x\r\n") == outgoing(anew, b"F: x\r\n")
    else:
        assert again == anew


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"/", b"/a?b", b"/%41"]), FIELDS)
def test_common_requests_are_remembered(target: bytes, fields: bytes) -> None:
    reader = Reader()
    first = reader.read(b"GET / HTTP/1.1\r\n" + fields, 100)
    again = reader.read(b"POST " + target + b" HTTP/1.1\r\n" + fields, 100)
    if isinstance(first, Request) and repeatable(first):
        assert isinstance(again, Request)
        assert again.told is first.told is not None
        assert (again.method, again.target) == (b"POST", target)
