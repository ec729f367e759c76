from __future__ import annotations

import pytest

from podway_proxy.http.head import read_head
from podway_proxy.http.hop import incoming, outgoing
from podway_proxy.http.request import Request
from podway_proxy.http.response import read_response


def request(*lines: bytes, line: bytes = b"GET /x?y HTTP/1.1", host: bytes = b"Host: a") -> Request:
    made = read_head(b"\r\n".join((line, *([host] if host else []), *lines)) + b"\r\n\r\n")
    assert isinstance(made, Request), made
    return made


def test_a_plain_head_is_not_touched() -> None:
    made = request(b"User-AGENT:x", b"Cookie: c", b"Expect: 100-continue")
    assert outgoing(made, b"") == made.head
    assert (
        outgoing(made, b"X-Forwarded-For: z\r\n") == made.head[:-2] + b"X-Forwarded-For: z\r\n\r\n"
    )


@pytest.mark.parametrize(
    "field",
    [b"Connection: keep-alive", b"KEEP-ALIVE: 5", b"Proxy-Connection: x", b"TE: trailers",
     b"Upgrade: websocket", b"HTTP2-Settings: x", b"proxy: http://evil", b"X-SSL: y",
     b"x-ssl-client-dn: y"],
)  # fmt: skip
def test_what_belongs_to_the_hop_is_taken_out(field: bytes) -> None:
    assert outgoing(request(b"A: b", field, b"C: d"), b"") == (
        b"GET /x?y HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n"
    )


def test_an_upgrade_keeps_its_fields() -> None:
    made = request(b"Connection: Upgrade, X-Hop", b"Upgrade: WebSocket", b"X-Hop: 1")
    assert made.upgrade == b"websocket"
    assert outgoing(made, b"F: g\r\n") == (
        b"GET /x?y HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nF: g\r\n\r\n"
    )


@pytest.mark.parametrize(
    "fields",
    [(b"Connection: upgrade", b"Upgrade: h2c"), (b"Upgrade: websocket",),
     (b"Connection: upgrade", b"Upgrade: a, b"), (b"Connection: upgrade",),
     (b"Connection: upgrade", b"Upgrade: websocket", b"Content-Length: 3")],
)  # fmt: skip
def test_no_upgrade(fields: tuple[bytes, ...]) -> None:
    made = request(*fields)
    assert made.upgrade is None
    assert b"pgrade" not in outgoing(made, b"")


def test_http_1_0_goes_on_as_1_1_with_a_host() -> None:
    assert outgoing(request(line=b"GET / HTTP/1.0", host=b""), b"") == (
        b"GET / HTTP/1.1\r\nHost: \r\n\r\n"
    )


ANSWER = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nA: b\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "keep_alive", "modern", "expected"),
    [
        (ANSWER, True, True, b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\n"),
        (
            ANSWER,
            False,
            True,
            b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
        ),
        (
            ANSWER.replace(b"A: b", b"Keep-Alive: timeout=5"),
            True,
            False,
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n",
        ),
        (
            b"HTTP/1.0 200 OK\r\nconnection:close\r\n\r\n",
            False,
            True,
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            False,
            False,
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False, True, b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_the_clients_head(head: bytes, keep_alive: bool, modern: bool, expected: bytes) -> None:
    response = read_response(head, b"GET")
    assert incoming(head, response, keep_alive=keep_alive, modern=modern) == expected
