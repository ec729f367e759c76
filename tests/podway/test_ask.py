from __future__ import annotations

import socket
import threading

import pytest

from podway.ask import NoHttpAnswerError, exchange, parse, request


def test_a_request_names_its_host() -> None:
    assert request("web:8080", "/x", "text/plain").startswith(
        b"GET /x HTTP/1.1\r\nHost: web:8080\r\n"
    )


def test_an_answer_is_taken_apart() -> None:
    answer = parse(b"HTTP/1.1 503 Service Unavailable\r\nX-Pod: a/b\r\n\r\nbody")
    assert (answer.status, answer.headers["x-pod"], answer.body) == (503, "a/b", "body")


@pytest.mark.parametrize(
    "data", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_answer_is_said(data: bytes) -> None:
    with pytest.raises(NoHttpAnswerError):
        parse(data)


def test_the_end_is_found_on_a_connection_that_stays_open() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        answering = threading.Thread(
            target=lambda: (
                theirs.recv(100),
                theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
            )
        )
        answering.start()
        assert exchange(ours, b"GET").body == "hi"
        answering.join()
