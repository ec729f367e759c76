from __future__ import annotations

import contextlib
import socket

import pytest
from http_rig import OK, PodConnection, answering, read_all, read_answer, serving, until

pytestmark = pytest.mark.live

SECRET = b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def post(*lines: bytes, body: bytes = b"0\r\n\r\n" + SECRET, version: bytes = b"1.1") -> bytes:
    head = b"".join((b"POST /x HTTP/" + version + b"\r\nHost: a\r\n", *lines))
    return head + b"\r\n" + body


CORPUS = {
    "CL.TE": post(b"Content-Length: 6\r\n", CHUNKED),
    "TE.CL": post(CHUNKED, b"Content-Length: 3\r\n"),
    "TE twice": post(CHUNKED, CHUNKED),
    "TE and identity": post(CHUNKED, b"Transfer-Encoding: identity\r\n"),
    "TE list": post(b"Transfer-Encoding: gzip, chunked\r\n"),
    "TE leading comma": post(b"Transfer-Encoding: ,chunked\r\n"),
    "TE with space": post(b"Transfer-Encoding : chunked\r\n"),
    "TE folded": post(b"Transfer-Encoding:\r\n chunked\r\n"),
    "TE vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n"),
    "TE with NUL": post(b"Transfer-Encoding: chunked\0\r\n"),
    "TE in 1.0": post(CHUNKED, version=b"1.0"),
    "CL twice": post(b"Content-Length: 0\r\nContent-Length: 5\r\n"),
    "CL list": post(b"Content-Length: 0, 5\r\n"),
    **{
        f"CL {value!r}": post(b"Content-Length: " + value + b"\r\n")
        for value in (b"", b"+5", b"-5", b"0x5", b"0_5", b"5 5", b"5;x", b"\xb2")
    },
    "bare LF head": b"POST /x HTTP/1.1\nHost: a\nContent-Length: 0\n\n" + SECRET,
    "bare LF line": post(b"X: y\nContent-Length: 5\r\n"),
    "bare CR": post(b"X: y\rTransfer-Encoding: chunked\r\n"),
    "folded": post(b"X: y\r\n Content-Length: 5\r\n"),
    "no colon": post(b"Content-Length 5\r\n"),
    "no name": post(b": 5\r\n"),
    "high byte in name": post(b"Content-Length\xa0: 5\r\n"),
    "two Hosts": post(b"Host: b\r\n"),
    "Host list": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n" + SECRET,
    "no Host": b"GET / HTTP/1.1\r\n\r\n" + SECRET,
    "userinfo": b"GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n" + SECRET,
    "other authority": b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n" + SECRET,
    "port range": b"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n" + SECRET,
    "CONNECT": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" + SECRET,
    "GET *": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n" + SECRET,
    "fragment": b"GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n" + SECRET,
    "space in target": b"GET /x HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n" + SECRET,
    "0.9": b"GET /\r\n\r\n" + SECRET,
    "h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SECRET,
    "101 fields": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n" + SECRET,
    "long": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 30_000 + b"\r\n\r\n" + SECRET,
    "endless": b"GET /" + b"y" * 200_000,
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
}

BAD_CHUNKS = {
    "size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "negative": b"-1\r\nhello\r\n0\r\n\r\n",
    "plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
    "empty size": b"\r\nhello\r\n0\r\n\r\n",
    "bare LF": b"5\nhello\n0\n\n",
    "bare LF in extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "space before size": b" 5\r\nhello\r\n0\r\n\r\n",
    "too long for its size": b"5\r\nhelloworld\r\n0\r\n\r\n",
    "overflow": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "long extension": b"5;" + b"x" * 1000 + b"\r\nhello\r\n0\r\n\r\n",
    "bad trailer": b"0\r\nno colon\r\n\r\n",
    "length in trailer": b"0\r\nContent-Length: 5\r\n\r\n",
    "endless trailers": b"0\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
}


def clean(sock: socket.socket) -> None:
    """A client beside the bad one is served as if nothing was."""
    sock.sendall(b"GET /clean HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_answer(sock)[1] == b"ok"


@pytest.mark.parametrize("name", CORPUS)
def test_what_is_refused_reaches_no_pod(name: str) -> None:
    with serving(answering()) as (rig, [pod]), rig.connect() as beside:
        clean(beside)
        answer = rig.ask(CORPUS[name])
        assert answer.startswith(b"HTTP/1.1 ")
        assert answer[9:12] in (b"400", b"405", b"431", b"505")
        assert answer.count(b"\r\nContent-Length: ") == 1  # one answer
        assert b"Connection: close" in answer
        clean(beside)
        assert pod.seen.count(b" HTTP/1.1\r\n") == pod.seen.count(b"GET /clean ") == 2
        until(lambda: rig.front.active == 1)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_a_body_that_is_not_properly_chunked_does_no_harm(name: str, whole: bool) -> None:
    def handle(connection: PodConnection) -> None:
        while head := connection.head():
            if b"/clean" in head:
                connection.send(OK)
            else:
                while connection.more():
                    pass

    head = b"POST /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(handle) as (rig, [pod]), rig.connect() as beside, rig.connect() as sock:
        clean(beside)
        data = BAD_CHUNKS[name] + SECRET
        if whole:
            sock.sendall(head + data)
        else:
            sock.sendall(head)
            until(lambda: rig.opened == 2)
            with contextlib.suppress(OSError):
                sock.sendall(data)
        assert read_all(sock).startswith(b"HTTP/1.1 400")
        clean(beside)
        assert b"/secret" not in pod.seen
        assert whole is (b"/bad" not in pod.seen)


def test_identical_lengths_are_merged() -> None:
    def handle(connection: PodConnection) -> None:
        while connection.head():
            connection.exactly(2)
            connection.send(OK)

    with serving(handle) as (rig, [pod]), rig.connect() as sock:
        sock.sendall(post(b"Content-Length: 2\r\nContent-Length: 2\r\n", body=b"hi"))
        assert read_answer(sock)[1] == b"ok"
        assert pod.seen.count(b"Content-Length: 2\r\n") == 1


def test_the_pod_gets_the_path_as_it_was_matched() -> None:
    paths = [
        b"/a/../secret",
        b"//secret",
        b"/a/%2e%2e/secret",
        b"/%2fsecret",
        b"/a\\b",
        b"/?a#"[:3],
    ]
    with serving(answering()) as (rig, [pod]), rig.connect() as sock:
        for path in paths:
            sock.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            assert read_answer(sock)[1] == b"ok"
        heads = pod.seen.split(b"\r\n\r\n")[:-1]
        assert [head.split(b" ")[1] for head in heads] == paths
        until(lambda: len(rig.records) == len(paths))
        assert [record.target.encode() for record in rig.records] == paths


def test_an_absolute_target_is_sent_on_as_a_path() -> None:
    with serving(answering()) as (rig, [pod]), rig.connect() as sock:
        for target, path in (
            (b"http://A:80/x?y", b"/x?y"),
            (b"http://a", b"/"),
            (b"http://a?q", b"/?q"),
        ):
            sock.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            assert read_answer(sock)[1] == b"ok"
            assert pod.seen.split(b"\r\n\r\n")[-2].startswith(b"GET " + path + b" HTTP/1.1\r\n")


def test_a_named_connection_option_can_not_take_out_what_counts() -> None:
    with serving(answering()) as (rig, [pod]), rig.connect() as sock:
        sock.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\n"
            b"Connection: host, x-forwarded-for, content-length, cookie\r\n"
            b"Content-Length: 0\r\nCookie: c\r\n\r\n"
        )
        assert read_answer(sock)[1] == b"ok"
        assert b"Host: a\r\n" in pod.seen
        assert b"X-Forwarded-For: 127.0.0.1\r\n" in pod.seen
        assert b"Content-Length: 0\r\n" in pod.seen
        assert b"Cookie" not in pod.seen
