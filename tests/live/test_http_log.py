"""What operator and client read of failed requests, and that the log is not flooded with them."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_rig import PodConnection, Rig, serving, until

from podway_proxy.limits import DEFAULT
from podway_proxy.log import Log, Style
from podway_proxy.values import Endpoint

pytestmark = pytest.mark.live

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Journal:
    """A log file that a front writes to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.log = Log("d", style=Style("json"), fd=self.fd)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "log")
    yield made
    os.close(made.fd)


def resetting(pod: PodConnection) -> None:
    pod.sock.recv(65536)
    pod.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def rambling(pod: PodConnection) -> None:
    pod.sock.recv(65536)
    pod.sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def silent(pod: PodConnection) -> None:
    while pod.sock.recv(65536):
        pass


@pytest.mark.parametrize(
    ("handler", "step"),
    [(resetting, "reset"), (rambling, "bad-answer"), (silent, "server-timeout")],
)
def test_a_failing_pod_is_named_to_the_operator_alone(
    journal: Journal, handler: Any, step: str
) -> None:
    with serving(handler, options={"log": journal.log, "explain": True}, server_timeout=0.5) as (
        rig,
        (pod,),
    ):
        page = rig.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert step.encode() in page
    assert b"127.0.0.1" not in page
    (line,) = journal.lines()
    assert (line["event"], line["level"], line["step"]) == ("refused", "info", step)
    assert line["by"] == "route a"
    assert line["host"] == "a"
    assert str(pod.endpoint) in line["detail"]


def test_an_endpoint_that_can_not_be_connected_to(journal: Journal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        dead = Endpoint(*gone.getsockname())
    with Rig({"a": [dead]}).with_options(log=journal.log, explain=True) as rig:
        page = rig.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert b"connect" in page
    assert b"127.0.0.1" not in page
    (line,) = journal.lines()
    assert f"{dead}: Connection refused" in line["detail"]


def test_garbage_without_end_is_a_few_lines(journal: Journal) -> None:
    with Rig({}).with_options(log=journal.log) as rig:
        for _ in range(300):
            assert rig.ask(b"\x16\x03\x01 this is no HTTP\r\n\r\n").startswith(b"HTTP/1.1 400")
        until(lambda: "more not shown" in journal.path.read_text(), "the sum of what was left out")
    shown = [line for line in journal.lines() if line["event"] == "refused"]
    assert len(shown) < 150
    assert {line["step"] for line in shown} == {"bad-request"}


def test_a_client_that_resets_behind_its_proxy_header_is_let_go(journal: Journal) -> None:
    options = {"log": journal.log, "takes_proxy": lambda _: True}
    with Rig({}).with_options(**options) as rig:
        for _ in range(50):
            with rig.connect() as sock:
                sock.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HT")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: rig.call(lambda: rig.front.active) == 0, "all of them are gone")
    assert rig.errors == []


def test_a_client_without_its_proxy_header_is_counted_and_named(journal: Journal) -> None:
    limits = DEFAULT._replace(proxy_timeout=0.2)
    options = {"log": journal.log, "takes_proxy": lambda _: True}
    with Rig({}, limits).with_options(**options) as rig, rig.connect() as sock:
        assert sock.recv(1) == b""
    (line,) = journal.lines()
    assert (line["step"], line["reason"]) == ("proxy", "no PROXY header came in time")
