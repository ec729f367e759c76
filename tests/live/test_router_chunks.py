"""Bodies in chunks of one byte: each chunk costs its sender six bytes and the router a look.

Some clients send such bodies as fast as they can; another one beside them is served all the same.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import pytest
from edge_site import Site
from http_rig import OK, Pod, PodConnection
from ingress_objects import endpoints, route, service
from ingress_rig import PATIENCE, get

pytestmark = pytest.mark.live
DENSE = b"1\r\nx\r\n" * 200_000
HEAD = b"POST / HTTP/1.1\r\nHost: a.apps.example.test\r\nTransfer-Encoding: chunked\r\n\r\n"
PROMPT = 3.0
"""Seconds for an answer on a busy machine; turns that are counted in bytes alone made it 8."""


def swallow(connection: PodConnection) -> None:
    head = connection.head()
    if b"GET" in head:
        connection.send(OK)
        return
    while connection.sock.recv(1 << 20):
        pass


def test_others_are_served_beside_bodies_of_tiny_chunks(tmp_path: Path) -> None:
    site, pod = Site(tmp_path), Pod(swallow)
    where = (pod.endpoint.host, pod.endpoint.port)
    host = "a.apps.example.test"
    site.objects = [route("a", host, "web"), service("web"), *endpoints("web", where)]
    site.put()
    over = threading.Event()
    sent = [0]

    def send() -> None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((site.host, site.http), PATIENCE) as sock,
        ):
            sock.sendall(HEAD)
            while not over.is_set():
                sent[0] += sock.send(DENSE)

    with site.router():
        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        slowest, answers = 0.0, 0
        until = time.monotonic() + 4
        while time.monotonic() < until:
            began = time.monotonic()
            assert get((site.host, site.http), host)[0] == 200
            slowest = max(slowest, time.monotonic() - began)
            answers += 1
        over.set()
        for sender in senders:
            sender.join(PATIENCE)
    pod.close()
    assert sent[0] > 1_000_000
    assert slowest < PROMPT
    assert answers > 5
