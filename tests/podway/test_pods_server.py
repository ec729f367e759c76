from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from podway.ask import exchange, request
from podway.pods.answer import PodSpec
from podway.pods.server import listen, listeners

HOST = "127.77.4.1"


def test_an_address_that_is_taken_names_the_pod() -> None:
    with closing(listen(HOST, 0)) as taken:
        port = taken.getsockname()[1]
        pod = PodSpec("web-1", "demo", "node-1", HOST, ((port, False),))
        with pytest.raises(OSError, match=f"pod demo/web-1 can't listen on {HOST}:{port}"):
            listeners([pod])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Run the pods' process with one pod; give its HTTP and its TLS port."""
    with closing(listen(HOST, 0)) as one, closing(listen(HOST, 0)) as two:
        plain, secure = one.getsockname()[1], two.getsockname()[1]
    pods = f'[["web-1", "demo", "node-1", "{HOST}", [[{plain}, false], [{secure}, true]], []]]'
    command = [sys.executable, "-m", "podway.pods", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        process.stdin.write(pods)
        process.stdin.close()
        yield plain, secure
        process.terminate()


def connect(port: int) -> socket.socket:
    end = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection((HOST, port), 20)
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_many_connections_at_once_and_a_bad_one_between(served: tuple[int, int]) -> None:
    sockets = [connect(served[0]) for _ in range(50)]
    sockets[0].sendall(b"garbage\r\n\r\n")
    for sock in sockets[1:]:
        assert exchange(sock, request("web", "/healthz", "*/*")).body == "ok\n"
    assert sockets[0].recv(100) == b""
    for sock in sockets:
        sock.close()


def test_tls_follows_in_the_background(served: tuple[int, int], tmp_path: Path) -> None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    connect(served[0]).close()
    with connect(served[1]) as sock:  # it waits in the queue until the certificate is made
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(sock, server_hostname="web") as wrapped:
            answer = exchange(wrapped, request("web", "/?format=json", "*/*"))
    assert '"tls": "TLSv1.3"' in answer.body
    assert (tmp_path / "ca.pem").exists()
