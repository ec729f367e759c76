from __future__ import annotations

import pytest

from podway_proxy.http.head import read_head
from podway_proxy.http.refuse import Refusal, refuse, refuse_beginning

GOOD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def head(*lines: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes = b"Host: a") -> bytes:
    return b"\r\n".join((line, *([host] if host else []), *lines)) + b"\r\n\r\n"


REFUSED = {
    # 1 and 3: framing that two readers could read differently
    "length and chunked": (head(b"Content-Length: 3", b"Transfer-Encoding: chunked"), 400),
    "length and chunked, other order": (
        head(b"Transfer-Encoding: chunked", b"content-length: 0"),
        400,
    ),
    "chunked twice": (head(b"Transfer-Encoding: chunked, chunked"), 400),
    "chunked on two lines": (
        head(b"Transfer-Encoding: chunked", b"TE: x", b"Transfer-Encoding: chunked"),
        400,
    ),
    "gzip": (head(b"Transfer-Encoding: gzip"), 400),
    "gzip, chunked": (head(b"Transfer-Encoding: gzip, chunked"), 400),
    "leading comma": (head(b"Transfer-Encoding: ,chunked"), 400),
    "identity": (head(b"Transfer-Encoding: identity"), 400),
    "quoted": (head(b'Transfer-Encoding: "chunked"'), 400),
    "xchunked": (head(b"Transfer-Encoding: xchunked"), 400),
    "empty coding": (head(b"Transfer-Encoding:"), 400),
    "1.0 with coding": (
        head(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0"),
        400,
    ),
    # 2
    "differing lengths": (head(b"Content-Length: 3", b"Content-Length: 4"), 400),
    "same number, other spelling": (head(b"Content-Length: 3", b"Content-Length: 03"), 400),
    "length list": (head(b"Content-Length: 3, 3"), 400),
    **{
        f"length {value!r}": (head(b"Content-Length: " + value), 400)
        for value in (b"", b"+5", b"-1", b"0x10", b"1_0", b"1 0", b"5.", "٣".encode(), b"9" * 19)
    },
    # 4
    "space before colon": (head(b"Foo : bar"), 400),
    "tab before colon": (head(b"Content-Length\t: 3"), 400),
    "no name": (head(b": bar"), 400),
    "no colon": (head(b"Foo"), 400),
    "high byte in name": (head(b"F\xffo: bar"), 400),
    "NUL in value": (head(b"Foo: b\0r"), 400),
    "NUL in name": (head(b"F\0o: bar"), 400),
    "bare CR in value": (head(b"Foo: b\rContent-Length: 3"), 400),
    "DEL in value": (head(b"Foo: b\x7f"), 400),
    "vertical tab": (head(b"Transfer-Encoding:\x0bchunked"), 400),
    # 5
    "folded": (head(b"Foo: a", b" b"), 400),
    "folded first": (head(b"Host: a", host=b" x"), 400),
    "bare LF": (b"GET / HTTP/1.1\r\nHost: a\nFoo: b\r\n\r\n", 400),
    "bare LF at the end": (b"GET / HTTP/1.1\r\nHost: a\n\r\n\r\n", 400),
    # 6
    "two Hosts": (head(b"Host: b"), 400),
    "two equal Hosts": (head(b"Host: a"), 400),
    "no Host": (head(host=b""), 400),
    "URI names another": (head(line=b"GET http://b/ HTTP/1.1"), 400),
    "URI with userinfo": (head(line=b"GET http://a@b/ HTTP/1.1", host=b"Host: b"), 400),
    **{
        f"Host {value!r}": (head(host=b"Host: " + value), 400)
        for value in (
            b"",
            b"a, b",
            b"a b",
            b"u@a",
            b"a:65536",
            b"a:99999",
            b"a:0",
            b"a:x",
            b"a:-1",
            b"a/b",
            b"a?b",
            b"%61",
            b"[::1",
            b"::1",
            b".a",
            b"a..b",
            b"a" * 256,
            b"\xc3\xa4",
            b"a:80:80",
        )
    },
    # 7
    "CONNECT": (head(line=b"CONNECT a:443 HTTP/1.1"), 405),
    "CONNECT a path": (head(line=b"CONNECT /x HTTP/1.1"), 405),
    "GET *": (head(line=b"GET * HTTP/1.1"), 400),
    "fragment": (head(line=b"GET /a#b HTTP/1.1"), 400),
    "relative": (head(line=b"GET a HTTP/1.1"), 400),
    "other scheme": (head(line=b"GET ftp://a/ HTTP/1.1"), 400),
    "space in target": (head(line=b"GET /a b HTTP/1.1"), 400),
    "high byte in target": (head(line=b"GET /\xff HTTP/1.1"), 400),
    "tab in line": (head(line=b"GET\t/ HTTP/1.1"), 400),
    "no version": (head(line=b"GET /"), 400),
    "HTTP/2.0": (head(line=b"GET / HTTP/2.0"), 505),
    "HTTP/1.2": (head(line=b"GET / HTTP/1.2"), 505),
    "h2 preface": (b"PRI * HTTP/2.0\r\n\r\n", 505),
    "lower-case http": (head(line=b"GET / http/1.1"), 400),
    # 8
    "101 fields": (head(*[b"X: y"] * 100), 431),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    data, status = REFUSED[name]
    refusal = refuse(data)
    assert refusal is not None
    assert refusal.status == status, refusal
    assert read_head(data) == refusal


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        head(b"Content-Length: 3", b"Content-Length: 3"),
        head(b"Transfer-Encoding: Chunked"),
        head(line=b"OPTIONS * HTTP/1.1"),
        head(line=b"GET http://A/x HTTP/1.1"),
        head(line=b"GET http://a:80 HTTP/1.1"),
        head(line=b"BREW /pot HTTP/1.1"),
        head(host=b"Host: [::1]:8080"),
        head(host=b"Host:\t web.apps.lab.example.test.:65535 "),
        head(host=b"", line=b"GET / HTTP/1.0"),
        head(b"X: \xc3\xa4", b"Y:", b"Z:\t"),
        head(*[b"X: y"] * 99),
    ],
)
def test_served(data: bytes) -> None:
    assert refuse(data) is None
    assert not isinstance(read_head(data), Refusal)


def test_the_reason_says_what_is_wrong_without_the_peers_bytes() -> None:
    assert "space between" in str(refuse(head(b"Foo : secret")))
    assert "folded" in str(refuse(head(b"Foo: a", b" secret")))
    assert "control byte" in str(refuse(head(b"Foo: secret\0")))
    assert "secret" not in "".join(str(refuse(data)) for data, _ in REFUSED.values())


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 101, 431),
        (b"GET /" + b"a" * 24_576, 431),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"\0", 400),
        (b"GET / HTTP/1.1\nHost: a\n", 400),
        (b"GET / HTTP/1.1\r\nFoo: a\rb", 400),
    ],
)
def test_a_beginning_that_can_not_become_a_head(data: bytes, status: int) -> None:
    refusal = refuse_beginning(data, 24_576)
    assert refusal is not None
    assert refusal.status == status


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_every_beginning_of_a_good_head_may_go_on(length: int) -> None:
    assert refuse_beginning(GOOD[:length], 24_576) is None
