from __future__ import annotations

import socket
import threading
import time

import pytest

from podway.lab import first_answer
from podway.lab.first_answer import connected, is_ready, process_start, until

HOST = "127.0.0.1"
READY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NOT_READY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(("answer", "ready"), [(READY, True), (NOT_READY, False), (b"", False)])
def test_readiness_is_what_the_admin_port_says(answer: bytes, ready: bool) -> None:
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            sock, _ = server.accept()
            with sock:
                sock.recv(1000)
                sock.sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        assert is_ready(server.getsockname()) is ready
        serving.join()


def test_nobody_there_is_not_ready() -> None:
    with socket.create_server((HOST, 0)) as server:
        address = server.getsockname()
    assert is_ready(address) is False


def test_the_next_address_is_tried() -> None:
    with socket.create_server((HOST, 0)) as gone:
        refused = gone.getsockname()
    with socket.create_server((HOST, 0)) as server:
        sock = connected([refused, server.getsockname()])
        with sock:
            assert sock.getpeername() == server.getsockname()
    with pytest.raises(OSError, match="refused"):
        connected([refused, refused])
    with pytest.raises(OSError, match="no address"):
        connected([])


def test_an_error_counts_as_a_no_and_is_tried_again() -> None:
    asked: list[int] = []
    done: list[float] = []

    def test() -> bool:
        asked.append(1)
        if len(asked) < 3:
            raise ConnectionResetError
        return True

    until(test, done.append).join()
    assert len(asked) == 3
    assert 0 < done[0] <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_what_never_holds_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_answer, "GIVE_UP_SECONDS", 0.05)
    done: list[float] = []
    until(lambda: False, done.append).join()
    assert done == [0.0]


def test_a_process_knows_when_it_was_started() -> None:
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert 0 <= now - process_start() < 24 * 3600
