from __future__ import annotations

import socket
import threading

import pytest

from podway.ready import NOT_READY, READY, USAGE, main

HOST = "127.0.0.1"


def answering(status: bytes) -> tuple[socket.socket, threading.Thread]:
    """Give a server that answers one request so."""
    server = socket.create_server((HOST, 0))

    def serve() -> None:
        sock, _ = server.accept()
        with sock:
            assert sock.recv(1000).startswith(b"GET /healthz/ready HTTP/1.1\r\n")
            sock.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nwords")

    thread = threading.Thread(target=serve)
    thread.start()
    return server, thread


@pytest.mark.parametrize(
    ("status", "code"), [(b"200 OK", READY), (b"503 Service Unavailable", NOT_READY)]
)
def test_the_exit_code_is_the_answer_and_the_reason_is_printed(
    status: bytes, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    server, thread = answering(status)
    with server:
        assert main([], {"PODWAY_ADMIN": f"{HOST}:{server.getsockname()[1]}"}) == code
        thread.join()
    assert capsys.readouterr().out == f"{status[:3].decode()} words\n"


def test_nobody_there_is_not_ready(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    assert main([f"{HOST}:{port}"], {}) == NOT_READY
    assert "refused" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["", "9153", "here:", ":9153"])
def test_what_is_no_address_is_a_usage_error(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([place] if place else [], {}) == USAGE
    assert "expected ADDR:PORT" in capsys.readouterr().out
