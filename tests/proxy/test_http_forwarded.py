from __future__ import annotations

import pytest

from podway_proxy.http.forwarded import NAMES, lines_for
from podway_proxy.http.head import read_head
from podway_proxy.http.request import Request
from podway_proxy.values import Arrival

ARRIVAL = Arrival(("192.0.2.7", 1234), ("192.0.2.1", 8080), ("10.0.0.1", 9))
OURS = (
    b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: Web.Test\r\nX-Forwarded-Port: 8080\r\n"
    b"X-Forwarded-Proto: https\r\nForwarded: for=192.0.2.7;host=Web.Test;proto=https\r\n"
)


def request(*fields: bytes, host: bytes = b"Web.Test") -> Request:
    made = read_head(b"\r\n".join((b"GET /web.test HTTP/1.1", b"Host: " + host, *fields, b"", b"")))
    assert isinstance(made, Request)
    return made


def test_append_adds_lines_of_its_own() -> None:
    made = request(b"X-Forwarded-For: 6.6.6.6")
    assert lines_for(made, ARRIVAL, "append", "https") == (OURS, frozenset())


def test_replace_takes_the_clients_out() -> None:
    assert lines_for(request(), ARRIVAL, "replace", "https") == (OURS, frozenset(NAMES))


def test_if_none_fills_in_only_what_is_missing() -> None:
    made = request(b"x-forwarded-FOR: 6.6.6.6", b"Forwarded: for=x")
    lines, drop = lines_for(made, ARRIVAL, "if-none", "https")
    assert lines == b"".join(OURS.splitlines(keepends=True)[1:4])
    assert not drop


def test_never_adds_nothing() -> None:
    assert lines_for(request(), ARRIVAL, "never", "http") == (b"", frozenset())


@pytest.mark.parametrize(
    ("host", "client", "forwarded"),
    [
        (b"a:8080", "2001:db8::1", b'Forwarded: for="[2001:db8::1]";host="a:8080";proto=http\r\n'),
        (b"[::1]:80", "192.0.2.7", b'Forwarded: for=192.0.2.7;host="[::1]:80";proto=http\r\n'),
    ],
)
def test_what_is_no_token_is_quoted(host: bytes, client: str, forwarded: bytes) -> None:
    arrival = Arrival((client, 1), ("::1", 80), (client, 1))
    lines, _ = lines_for(request(host=host), arrival, "append", "http")
    assert lines.endswith(forwarded)
    assert b"X-Forwarded-For: " + client.encode() + b"\r\n" in lines
