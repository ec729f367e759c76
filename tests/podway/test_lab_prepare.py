from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from podway.lab.children import Command
from podway.lab.plan import Balancer, Lab
from podway.lab.prepare import CannotStartError, Options, choose_ports, prepare, runnable

HOST = "127.77.3.1"


@pytest.fixture
def lab() -> Lab:
    balancer = Balancer("lb-a", (HOST,), "127.0.4.1")
    return Lab(HOST, (), (balancer,), (), (), proxy=False, pods=())


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for sock in sockets:
        sock.bind((HOST, 0))
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def test_given_ports_are_taken(lab: Lab) -> None:
    http, https, dns = free_ports(3)
    ports, notes = choose_ports(lab, Options(http_port=http, https_port=https, dns_port=dns))
    assert ports == (http, https, dns)
    assert notes == ()


def test_a_given_port_that_is_taken_is_an_error(lab: Lab) -> None:
    https, dns = free_ports(2)
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.listen()
        taken = sock.getsockname()[1]
        with pytest.raises(CannotStartError, match=f"{HOST}:{taken} is taken.*--http-port"):
            choose_ports(lab, Options(http_port=taken, https_port=https, dns_port=dns))


def test_a_running_lab_is_noticed_by_its_fixed_addresses(lab: Lab) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, 9153))
        sock.listen()
        with pytest.raises(CannotStartError, match="a lab seems to be running"):
            choose_ports(lab, Options())


def test_objects_that_are_no_lab_say_why(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {}\n")
    with pytest.raises(CannotStartError) as caught:
        prepare(Options(manifests=[str(tmp_path)]))
    assert "no IngressController" in str(caught.value)
    assert "bad.yaml:1" in str(caught.value)


def test_programs_are_those_beside_this_interpreter() -> None:
    beside = runnable(Command("x", ["podway-lb", "--name", "a"]))
    assert beside.arguments == [str(Path(sys.executable).with_name("podway-lb")), "--name", "a"]
    module = runnable(Command("x", ["-m", "podway.pods"]))
    assert module.arguments == [sys.executable, "-m", "podway.pods"]


def test_a_missing_program_is_named() -> None:
    with pytest.raises(CannotStartError, match="no-such-daemon is not installed"):
        runnable(Command("x", ["no-such-daemon"]))
