from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from podway_proxy.process.sockets import BindError, bind, explain
from podway_proxy.process.spec import ListenerSpec

ANY = ListenerSpec("x", "127.0.0.1", 0, why="the test")


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_all_sockets_of_a_listener_share_one_port_that_nobody_else_gets(
    host: str, transport: str
) -> None:
    if host == "::1" and not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    spec = ListenerSpec("x", host, 0, transport)
    sockets = bind(spec, 3)
    ports = {sock.getsockname()[1] for sock in sockets}
    assert len(ports) == 1
    for count in (1, 3):
        with pytest.raises(BindError, match="the port is taken by") as caught:
            bind(
                spec._replace(port=ports.pop() if count == 1 else sockets[0].getsockname()[1]),
                count,
            )
        assert caught.value.number == errno.EADDRINUSE
    for sock in sockets:
        sock.close()


def test_connections_are_spread_over_the_sockets() -> None:
    sockets = bind(ANY._replace(client_first=False), 2)
    clients = [socket.create_connection(sockets[0].getsockname()) for _ in range(64)]
    accepted = []
    for sock in sockets:
        before = len(accepted)
        while True:
            try:
                accepted.append(sock.accept()[0])
            except BlockingIOError:
                break
        assert len(accepted) > before
    assert len(accepted) == 64
    for sock in (*sockets, *clients, *accepted):
        sock.close()


def test_defer_accept_is_on_where_the_client_speaks_first() -> None:
    for client_first, admin, seconds in (
        (True, False, True),
        (False, False, False),
        (True, True, False),
    ):
        (sock,) = bind(ANY._replace(client_first=client_first, admin=admin), 1)
        assert bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT)) == seconds
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        sock.close()


def test_a_port_with_connections_in_time_wait_is_not_taken() -> None:
    (sock,) = bind(ANY._replace(client_first=False), 1)
    where = sock.getsockname()
    with socket.create_connection(where) as client:
        sock.setblocking(True)
        accepted = sock.accept()[0]
        accepted.close()  # the active close is on our side: TIME_WAIT holds our port
        assert client.recv(1) == b""
    sock.close()
    (again,) = bind(ANY._replace(port=where[1]), 1)
    again.close()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "net.ipv4.ip_unprivileged_port_start=80"),
        (errno.EADDRNOTAVAIL, "no interface of this host has that address"),
        (errno.EAFNOSUPPORT, "no IPv6"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_errors_say_where_who_asked_and_what_to_do(number: int, said: str) -> None:
    text = explain(ANY._replace(port=80), OSError(number, ""))
    assert text.startswith("can't listen on 127.0.0.1:80/tcp (the test): ")
    assert said in text
