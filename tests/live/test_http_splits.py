from __future__ import annotations

import hashlib
import random
import socket

import pytest
from http_rig import PodConnection, read_answer, serving

pytestmark = pytest.mark.live


def echo(connection: PodConnection) -> None:
    """Answer each request with its method, target and the hash of its body."""
    while head := connection.head():
        method, target, _ = head.split(b" ", 2)
        fields = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        body = b""
        if b"transfer-encoding" in fields:
            while True:
                while b"\r\n" not in connection.buffer:
                    if not connection.more():
                        return
                size, _, connection.buffer = connection.buffer.partition(b"\r\n")
                body += connection.exactly(int(size, 16))
                connection.exactly(2)
                if int(size, 16) == 0:
                    break
        elif b"content-length" in fields:
            body = connection.exactly(int(fields[b"content-length"]))
        text = b" ".join((method, target, hashlib.sha256(body).hexdigest().encode()))
        if random.random() < 0.5:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))
        else:  # in two pieces
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")
            connection.send(b"ngth: %d\r\n\r\n%b" % (len(text), text))


def request(number: int, dice: random.Random) -> tuple[bytes, bytes]:
    """Give (a request's bytes, the answer that is due)."""
    body = dice.randbytes(dice.choice((0, 1, 10, 3000)))
    kind = dice.choice((b"GET", b"PUT", b"POST"))
    head = b"%b /%d HTTP/1.1\r\nHost: A.:80\r\nX-Pad: %b\r\n" % (
        kind,
        number,
        b"p" * dice.randrange(200),
    )
    if kind == b"GET":
        body, data = b"", head + b"\r\n"
    elif kind == b"PUT":
        data = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    else:
        data = head + b"Transfer-Encoding: chunked\r\n\r\n"
        at = 0
        while at < len(body):
            size = dice.randrange(1, 1000)
            piece = body[at : at + size]
            data += b"%x\r\n%b\r\n" % (len(piece), piece)
            at += size
        data += b"0\r\n\r\n"
    return data, b"%b /%d %b" % (kind, number, hashlib.sha256(body).hexdigest().encode())


@pytest.mark.parametrize("seed", range(12))
def test_pipelined_requests_over_any_split_reach_the_pod_unchanged(seed: int) -> None:
    dice = random.Random(seed)
    made = [request(number, dice) for number in range(15)]
    data = b"".join(each for each, _ in made)
    with serving(echo) as (rig, _), rig.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = 0
        while at < len(data):
            size = dice.choice((1, 2, 7, 40, 1000, 5000))
            sock.sendall(data[at : at + size])
            at += size
        assert [read_answer(sock)[1] for _ in made] == [due for _, due in made]
        assert rig.front.active == 1
    assert rig.opened == rig.closed == len(made)
