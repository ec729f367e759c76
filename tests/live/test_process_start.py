"""A daemon's start and end: listeners, errors with exit codes, --check, drain."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from process_rig import (
    COMMAND,
    Client,
    EchoDaemon,
    as_nobody,
    listener,
    python_for_others,
    status,
    until,
)

pytestmark = pytest.mark.live
Start = Callable[..., EchoDaemon]


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that other users may read (those of tmp_path's parents are private)."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def start(directory: Path) -> Iterator[Start]:
    started: list[EchoDaemon] = []

    def run(*arguments: str, entries: Any = None, **more: Any) -> EchoDaemon:
        popen = {name: more.pop(name) for name in ("python", "env") if name in more}
        content = {"entries": {"a": 1} if entries is None else entries, **more}
        started.append(EchoDaemon(directory, *arguments, content=content, **popen))
        return started[-1]

    yield run
    for one in started:
        one.kill()


def test_serves_with_every_worker_and_stops_clean(start: Start) -> None:
    daemon = start()
    daemon.wait_event("ready")
    workers = set(daemon.children("worker"))
    assert len(workers) == 2
    pids: set[int] = set()
    until(lambda: pids.add(daemon.ask()[0]) or pids == workers, "both workers")  # type: ignore[func-returns-value]
    assert daemon.ask("a")[1] == 1
    assert daemon.http("/healthz") == (200, "ok\n")
    assert daemon.http("/healthz/ready") == (200, "ready\n")
    assert daemon.stop() == 0
    assert not [line for line in daemon.lines if line["level"] == "error"]


def test_a_port_that_another_program_has_is_named_with_that_program(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        daemon = start(listeners=[listener(other.getsockname(), why="Service shop/web")])
        assert daemon.wait_exit() == 3
    said = daemon.events("can't start")[0]["reason"]
    host, port = other_address(said)
    assert host == "127.0.0.1"
    assert f"{host}:{port}/tcp (Service shop/web): the port is taken by" in said
    assert f"(pid {os.getpid()})" in said


def other_address(said: str) -> tuple[str, str]:
    host, _, port = said.removeprefix("can't listen on ").partition("/")[0].partition(":")
    return host, port


def test_a_second_copy_of_itself_is_refused(start: Start) -> None:
    first = start()
    first.wait_event("ready")
    second = start(listeners=[listener(first.address)])
    assert second.wait_exit() == 3
    said = second.events("can't start")[0]["reason"]
    assert f"the port is taken by podway-echo (pid {first.process.pid})" in said
    assert first.ask()[1] == 1


def test_two_copies_started_at_the_same_time_never_share_a_port(start: Start) -> None:
    first = start()
    second = start(listeners=[listener(first.address)])

    def decided() -> bool:
        return first.process.poll() is not None or second.process.poll() is not None

    until(decided, "one of them to give up")
    codes = {first.process.poll(), second.process.poll()}
    assert codes == {None, 3}


def test_an_address_that_no_interface_has_is_said_to_be_so(start: Start) -> None:
    daemon = start(listeners=[listener(("192.0.2.1", 80))])
    assert daemon.wait_exit() == 3
    assert "no interface of this host has that address" in daemon.events("can't start")[0]["reason"]


def low_ports_need_a_right() -> bool:
    text = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()
    return int(text) > 81


@pytest.mark.skipif(not low_ports_need_a_right(), reason="here everybody may bind low ports")
def test_without_the_right_to_a_low_port_it_says_how_to_get_it(directory: Path) -> None:
    file = directory / "echo.json"
    file.write_text(json.dumps({"listeners": [listener(("127.0.0.1", 81), why="the test")]}))
    python, env = python_for_others()
    argv = as_nobody([python, str(COMMAND), "--file", str(file)])
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 3
    assert "no permission for a port below" in done.stderr
    assert "net.ipv4.ip_unprivileged_port_start=81" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_loader_cannot_do_ends_the_start_with_its_words(start: Start) -> None:
    daemon = start(cannot_start="no IngressController is called x; there are: apps, ext")
    assert daemon.wait_exit() == 3
    assert daemon.events("can't start")[0]["reason"].startswith("no IngressController is called x")
    assert "Traceback" not in "".join(daemon.raw)


def test_a_loader_that_always_crashes_at_the_start_ends_it(start: Start) -> None:
    daemon = start(crash="the test")
    assert daemon.wait_exit() == 3
    assert "the loader ended 3 times" in daemon.events("can't start")[0]["reason"]
    crash = daemon.events("unexpected error")[0]
    assert crash["role"] == "loader"
    assert "ZeroDivisionError: the test" in crash["traceback"]


def test_check_prints_problems_and_exits_with_one(tmp_path: Path) -> None:
    file = tmp_path / "echo.json"
    for problems, code in ((["a.yaml:3: Route shop/web: spec.host: missing"], 1), ([], 0)):
        file.write_text(json.dumps({"problems": problems}))
        argv = [sys.executable, str(COMMAND), "--file", str(file), "--check"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
        assert (done.returncode, done.stdout.splitlines()) == (code, problems)


def test_a_wrong_option_is_a_usage_error(tmp_path: Path) -> None:
    argv = [sys.executable, str(COMMAND), "--file", "x", "--admin", "nonsense"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "expected ADDRESS:PORT" in done.stderr


def test_sigterm_waits_unready_then_finishes_what_runs(start: Start) -> None:
    daemon = start("--drain-wait", "0.3")
    daemon.wait_event("ready")
    with Client(daemon.address) as client:
        client.ask()
        daemon.signal(signal.SIGTERM)
        daemon.wait_event("stops")
        code, body = until(lambda: (p := daemon.http("/healthz/ready"))[0] == 503 and p, "503")
        assert (code, body) == (503, "not ready: draining: the daemon is about to stop\n")
        assert daemon.ask()[1] == 1  # still accepting
        until(lambda: refused(daemon.address), "the listeners to close")
        assert client.ask()[1] == 1
    assert daemon.wait_exit() == 0


def refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_drain_ends_after_its_timeout(start: Start) -> None:
    daemon = start("--drain-timeout", "0.3")
    daemon.wait_event("ready")
    with Client(daemon.address) as client:
        client.ask()
        daemon.signal(signal.SIGTERM)
        assert daemon.wait_exit() == 0
        assert client.file.read() == b""
    assert daemon.events("drain time is over")[0]["connections"] == 1


def test_a_second_signal_stops_at_once_but_an_echo_of_the_first_does_not(start: Start) -> None:
    daemon = start()
    daemon.wait_event("ready")
    with Client(daemon.address) as client:
        client.ask()
        daemon.signal(signal.SIGTERM)
        daemon.wait_event("stops")
        daemon.signal(signal.SIGINT)  # what a terminal and a parent both send

        def gone() -> bool:
            assert client.ask() if not daemon.events("stops at once") else True
            daemon.signal(signal.SIGTERM)
            return bool(daemon.events("stops at once"))

        until(gone, "the end")
        assert daemon.wait_exit() == 0


def test_children_end_with_a_master_that_was_killed(start: Start) -> None:
    daemon = start()
    daemon.wait_event("ready")
    children = set(daemon.children())
    assert len(children) == 3
    daemon.process.kill()
    until(lambda: not any(runs(pid) for pid in children), "the children's end")


def runs(pid: int) -> bool:
    try:
        return "Z" not in status(pid)["State"]  # a zombie waits for whoever adopted it
    except FileNotFoundError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up being root")
def test_user_takes_every_right_but_low_ports_and_those_from_the_master_only(start: Start) -> None:
    python, env = python_for_others()
    daemon = start("--user", "nobody", python=python, env=env)
    daemon.wait_event("ready")
    for pid in daemon.children():
        seen = status(pid)
        assert set(seen["Uid"].split()) == {"65534"}
        assert set(seen["Gid"].split()) == {"65534"}
        assert {seen["CapEff"], seen["CapPrm"], seen["CapAmb"]} == {"0" * 16}
        assert seen["NoNewPrivs"] == "1"
    master = status(daemon.process.pid)
    assert set(master["Uid"].split()) == {"65534"}
    assert {master["CapEff"], master["CapPrm"]} == {f"{1 << 10:016x}"}
    assert not daemon.events("runs as root")

    low = (daemon.address[0], 81)
    listeners = [listener(daemon.address), listener(low)]
    daemon.update(listeners=listeners)
    until(lambda: not refused(low), "the low port")
    assert daemon.ask("a", low)[1] == 1

    daemon.signal(signal.SIGUSR2)
    daemon.wait_event("master re-executed")
    daemon.update(listeners=[*listeners, listener((daemon.address[0], 82))])
    until(lambda: not refused((daemon.address[0], 82)), "a low port after the exec")
    assert {status(pid)["CapEff"] for pid in daemon.children()} == {"0" * 16}
    assert status(daemon.process.pid)["CapAmb"] == "0" * 16


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is warned")
def test_root_without_user_is_warned(start: Start) -> None:
    assert "--user" in start().wait_event("runs as root")["advice"]


def test_an_unknown_user_is_no_start(start: Start) -> None:
    daemon = start("--user", "no-such-user-here")
    assert daemon.wait_exit() == 3
    assert "no such user" in daemon.events("can't start")[0]["reason"]
