from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.http.response import Response, ResponseError, read_any, read_response

FIELD = st.sampled_from(
    [
        b"Content-Length: 3", b"content-length:  12", b"Content-Length: 0", b"Content-Length: +3",
        b"Content-Length: 3 ", b"Content-Length: 4, 4", b"Transfer-Encoding: chunked",
        b"transfer-encoding: gzip", b"Connection: keep-alive", b"Connection: close",
        b"connection: keep-alive", b"Connection: keep-alive, X", b"Keep-Alive: timeout=5",
        b"Upgrade: h2c", b"Proxy-Connection: keep-alive", b"Date: Sat, 21 Nov 2026 23:40:00 GMT",
        b"Set-Cookie: a=b", b"Content-Type: text/plain", b"X: \xff", b"Y:", b" folded", b"no colon",
    ]
)  # fmt: skip
STATUS = st.sampled_from(
    [b"200 OK", b"204 No Content", b"304 Not Modified", b"404", b"500 ", b"101 S", b"100", b"600"]
)
HEAD = st.builds(
    lambda version, status, fields: b"\r\n".join([version + b" " + status, *fields]) + b"\r\n\r\n",
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"]),
    STATUS,
    st.lists(FIELD, max_size=5),
)
MANGLED = st.builds(
    lambda head, at, junk: head[: at % len(head)] + junk + head[at % len(head) + 1 :],
    HEAD,
    st.integers(0, 200),
    st.binary(max_size=2),
)


def _outcome(read: object, head: bytes, method: bytes) -> object:
    assert callable(read)
    try:
        response = read(head, method)
    except ResponseError:
        return "refused"
    return [getattr(response, slot) for slot in Response.__slots__]


@settings(max_examples=500, deadline=None)
@given(st.one_of(HEAD, MANGLED), st.sampled_from([b"GET", b"HEAD", b"POST"]))
def test_the_common_answer_reads_alike(head: bytes, method: bytes) -> None:
    assert _outcome(read_response, head, method) == _outcome(read_any, head, method)
