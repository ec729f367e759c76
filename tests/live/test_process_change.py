"""What a running daemon lives through: reloads, deaths, changes of listeners and objects."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from process_rig import Client, EchoDaemon, free_address, listener, load, until

pytestmark = pytest.mark.live
Start = Callable[..., EchoDaemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[EchoDaemon] = []

    def run(*arguments: str, **more: Any) -> EchoDaemon:
        started.append(EchoDaemon(tmp_path, *arguments, content={"entries": {"a": 1}, **more}))
        started[-1].wait_event("ready")
        return started[-1]

    yield run
    for one in started:
        one.kill()


def refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 1).close()
    except ConnectionRefusedError:
        return True
    return False


def serves(daemon: EchoDaemon, value: Any) -> bool:
    """Whether every worker gives that value."""
    seen: dict[int, Any] = {}

    def both() -> bool:
        pid, entry = daemon.ask()
        seen[pid] = entry
        return seen.keys() >= set(daemon.children("worker"))

    until(both, "an answer of every worker")
    return all(entry == value for entry in seen.values())


def test_changed_entries_reach_every_worker_and_open_connections(start: Start) -> None:
    daemon = start()
    with Client(daemon.address) as client:
        pid, value = client.ask()
        assert value == 1
        daemon.update(entries={"a": 2, "b": [1, {"c": None}]})
        until(lambda: client.ask() == (pid, 2), "the new value")
        assert client.ask("b") == (pid, [1, {"c": None}])
        daemon.update(entries={"b": 3})
        until(lambda: client.ask("a") == (pid, None), "the entry to go")
        assert client.ask("b") == (pid, 3)


def test_sighup_under_load_cuts_no_connection_and_fails_no_new_one(start: Start) -> None:
    daemon = start()
    before = set(daemon.children())
    with Client(daemon.address) as kept, load(daemon.address) as loads:
        old_pid = kept.ask()[0]
        for count in (1, 2):
            loads[0].wait(20)
            daemon.signal(signal.SIGHUP)
            daemon.wait_event("reloaded", count)
        loads[0].wait(20)
        assert kept.ask() == (old_pid, 1)  # the first generation still serves it
        workers = set(daemon.children("worker"))
        assert old_pid in workers
    until(lambda: len(daemon.children()) == 3, "the old generations to end")
    assert not before & set(daemon.children())
    assert daemon.http("/healthz/ready")[0] == 200
    assert daemon.stop() == 0


def test_fifty_rapid_sighups_leave_four_generations_at_most(start: Start) -> None:
    daemon = start()
    sent = most = 0

    def enough() -> bool:
        nonlocal sent, most
        kept.enter_context(Client(daemon.address)).ask()  # every generation has work
        daemon.signal(signal.SIGHUP)
        sent, most = sent + 1, max(most, len(daemon.children("worker")))
        return sent >= 50 and bool(daemon.events("reload waits"))

    with load(daemon.address, 1), contextlib.ExitStack() as kept:
        until(enough, "the fifth generation to wait")
        assert 3 * 2 < most <= 4 * 2
    until(lambda: len(daemon.children()) == 3, "the old generations to end")
    assert daemon.ask()[1] == 1
    assert daemon.stop() == 0


def of_another(daemon: EchoDaemon, old: set[int]) -> Client:
    """Connect to a worker not among `old`: these may accept until they are told to drain."""
    while True:
        client = Client(daemon.address)
        if client.ask()[0] not in old:
            return client
        client.close()


def test_the_oldest_generation_makes_room_after_the_drain_time(start: Start) -> None:
    daemon = start("--drain-timeout", "0.5")
    with contextlib.ExitStack() as kept:
        clients: list[Client] = []
        old: set[int] = set()
        for count in range(1, 4):
            clients.append(kept.enter_context(of_another(daemon, old)))
            old |= set(daemon.children("worker"))
            daemon.signal(signal.SIGHUP)
            daemon.wait_event("reloaded", count)
        daemon.signal(signal.SIGHUP)
        daemon.wait_event("reloaded", 4)
        assert clients[0].file.read() == b""
        assert [client.ask()[1] for client in clients[1:]] == [1, 1]
    assert daemon.wait_event("ended")["connections"] == 1


def test_a_reload_that_fails_leaves_the_old_generation_serving(start: Start) -> None:
    daemon = start()
    before = set(daemon.children())
    good = daemon.content
    daemon.update(crash="a bug in the new code")
    until(lambda: daemon.events("snapshot not taken"), "the loader to refuse it")
    daemon.signal(signal.SIGHUP)
    assert "the loader ended" not in daemon.wait_event("reload failed")["reason"]
    until(lambda: set(daemon.children()) == before, "the new generation to go")
    assert daemon.ask()[1] == 1
    assert daemon.http("/healthz/ready")[0] == 200
    daemon.write(good)
    daemon.signal(signal.SIGHUP)
    daemon.wait_event("reloaded")
    assert daemon.ask()[1] == 1


def test_a_killed_worker_is_replaced_with_its_sockets_and_the_current_entries(start: Start) -> None:
    daemon = start()
    daemon.update(entries={"a": "current"})
    until(lambda: daemon.ask()[1] == "current", "the change")
    before = set(daemon.children("worker"))
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(set(daemon.children("worker")) - before) == 1, "its successor")
    assert serves(daemon, "current")
    assert not refused(daemon.address)
    assert daemon.wait_event("process ended")["how"] == "signal SIGKILL"
    daemon.update(entries={"a": "later"})
    until(lambda: serves(daemon, "later"), "a change after it")


def test_a_killed_loader_is_replaced_and_its_successor_holds_the_last_good_state(
    start: Start,
) -> None:
    daemon = start()
    daemon.update(entries={"a": "good"})
    until(lambda: daemon.ask()[1] == "good", "the change")
    daemon.write("{ this is no JSON")
    until(lambda: "last good one held" in daemon.http("/debug/problems")[1], "the bad file")
    with load(daemon.address, 1) as loads:
        (victim,) = daemon.children("loader")
        os.kill(victim, signal.SIGKILL)
        until(lambda: set(daemon.children("loader")) - {victim}, "its successor")
        until(lambda: daemon.http("/debug/held")[1] == "true\n", "the held state")
        loads[0].wait(20)
    assert daemon.http("/healthz/ready")[0] == 200
    assert serves(daemon, "good")
    os.kill(min(daemon.children("worker")), signal.SIGKILL)  # a new worker of the new loader
    daemon.wait_event("process ended", 2)
    assert serves(daemon, "good")


def test_killing_all_at_once_is_survived(start: Start) -> None:
    daemon = start()
    before = set(daemon.children())
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(daemon.children()) - before) == 3, "three successors")
    assert serves(daemon, 1)
    until(lambda: daemon.http("/healthz/ready")[0] == 200, "readiness")


def test_sigusr2_under_load_keeps_pid_sockets_and_children(start: Start) -> None:
    daemon = start()
    with Client(daemon.address) as kept, load(daemon.address) as loads:
        pid = kept.ask()[0]
        children = set(daemon.children())
        for count in (1, 2):
            loads[0].wait(10)
            daemon.signal(signal.SIGUSR2)
            daemon.wait_event("master re-executed", count)
        loads[0].wait(10)
        assert set(daemon.children()) == children
        assert kept.ask() == (pid, 1)
    os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(daemon.children("worker")) - children) == 1, "a successor")
    address = free_address()
    daemon.update(listeners=[listener(daemon.address), listener(address)])
    until(lambda: not refused(address), "a listener bound by the new master")
    daemon.signal(signal.SIGHUP)
    daemon.wait_event("reloaded")
    assert daemon.stop() == 0


def test_listeners_come_and_go_at_run_time(start: Start) -> None:
    daemon = start()
    first, second = daemon.address, free_address()
    daemon.update(listeners=[listener(first), listener(second)])
    until(lambda: not refused(second), "the new listener")
    assert daemon.ask("a", second)[1] == 1
    with Client(second) as kept:
        kept.ask()
        daemon.update(listeners=[listener(first)])
        until(lambda: refused(second), "the listener to close")
        assert kept.ask()[1] == 1
    assert daemon.ask()[1] == 1
    daemon.update(listeners=[listener(first), listener(second)])
    until(lambda: not refused(second), "it to come back")
    assert daemon.ask("a", second)[1] == 1


def test_a_listener_whose_port_is_taken_at_run_time_is_tried_again(start: Start) -> None:
    daemon = start()
    other = socket.create_server((daemon.address[0], 0))
    with other:
        address = other.getsockname()
        daemon.update(listeners=[listener(daemon.address), listener(address, why="Service b")])
        assert "Service b" in daemon.wait_event("listener not bound")["reason"]
        until(lambda: "not bound: can't listen" in daemon.http("/healthz/ready")[1], "the note")
        assert daemon.http("/healthz/ready")[0] == 200  # the other listener serves
        assert daemon.ask()[1] == 1
    until(lambda: not refused(address), "it to be bound")
    until(lambda: daemon.http("/healthz/ready")[1] == "ready\n", "the note to go")


def wait_loaded(daemon: EchoDaemon, text: str) -> None:
    until(lambda: text in daemon.http("/debug/entries")[1], f"the loader to have {text}")


def test_a_stopped_worker_holds_up_nobody(start: Start) -> None:
    daemon = start()
    victim = min(daemon.children("worker"))
    os.kill(victim, signal.SIGSTOP)
    try:
        with_pid: set[int] = set()
        for number in range(30):  # each 100 KB: far more than its socket takes
            daemon.update(entries={"a": number, "fill": "x" * 100_000})
            wait_loaded(daemon, f'"a": {number},')
        other = max(daemon.children("worker"))

        def reached() -> bool:
            with (
                contextlib.suppress(TimeoutError),
                socket.create_connection(daemon.address, 0.3) as sock,
            ):
                sock.settimeout(0.3)
                sock.sendall(b"a\n")
                pid, _, value = sock.recv(100).partition(b" ")
                with_pid.add(int(pid))
                return value == b"29\n"
            return False

        until(reached, "the other worker to be up to date")
        assert with_pid == {other}
    finally:
        os.kill(victim, signal.SIGCONT)
    assert serves(daemon, 29)


def test_a_failing_call_into_the_app_is_one_log_record(start: Start) -> None:
    daemon = start()
    with Client(daemon.address) as client:
        client.sock.sendall(b"raise\n")
        record = daemon.wait_event("unexpected error")
    assert record["role"].startswith("worker")
    assert "RuntimeError: asked for" in record["traceback"]
    assert daemon.ask()[1] == 1


def test_metrics_are_sums_over_the_workers_and_survive_one(start: Start) -> None:
    daemon = start()
    pids: set[int] = set()
    for _ in range(20):
        pids.add(daemon.ask()[0])
    assert len(pids) == 2

    def connections() -> float:
        return daemon.metric("podway_echo_connections_total")

    assert connections() == 20
    assert daemon.metric('podway_echo_lines_total{kind="known"}') == 20
    with Client(daemon.address) as client:
        pid = client.ask()[0]
        assert daemon.metric("podway_echo_open") == 1
        os.kill(pid, signal.SIGKILL)
        until(
            lambda: daemon.metric("podway_echo_workers") == 2 and pid not in daemon.children(),
            "the successor",
        )
        assert daemon.metric("podway_echo_open") == 0  # its gauge ended with it
    assert connections() == 21
    assert daemon.metric("podway_echo_restarts_total") == 1
    daemon.signal(signal.SIGHUP)
    daemon.wait_event("reloaded")
    until(lambda: len(daemon.children()) == 3, "the old generation to end")
    assert daemon.ask()[1] == 1
    assert connections() == 22


def test_endpoints_that_are_down_have_an_entry(start: Start) -> None:
    host, port = free_address()
    probe = {"host": host, "port": port, "interval": 0.1, "name": "node-1"}
    daemon = start(probes=[probe])
    key = f"down/{host}:{port}"
    until(lambda: daemon.ask(key)[1] == "Connection refused", "the flip")
    down = daemon.wait_event("endpoint down")
    assert (down["endpoint"], down["name"]) == (f"{host}:{port}", "node-1")
    (victim,) = daemon.children("loader")
    os.kill(victim, signal.SIGKILL)
    until(lambda: set(daemon.children("loader")) - {victim}, "its successor")
    with socket.create_server((host, port)):
        assert daemon.ask(key)[1] is not None  # known from the loader before
        until(lambda: daemon.ask(key)[1] is None, "the endpoint to be up")
    assert len(daemon.events("endpoint down")) == 1


def test_a_daemon_without_anything_to_serve_is_not_ready_and_says_why(start: Start) -> None:
    daemon = start()
    daemon.update(ready=False, why="no zone is configured")
    until(lambda: daemon.http("/healthz/ready")[0] == 503, "503")
    assert daemon.http("/healthz/ready")[1] == "not ready: no zone is configured\n"
    assert daemon.wait_event("not ready")["reason"] == "no zone is configured"
    daemon.update(ready=True)
    daemon.wait_event("ready", 2)


def test_systemd_is_told_when_it_is_ready(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(20)
        env = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        daemon = EchoDaemon(tmp_path, content={"entries": {}}, env=env)
        try:
            assert notified.recv(100) == b"READY=1"
            assert daemon.stop() == 0
            assert notified.recv(100) == b"STOPPING=1"
        finally:
            daemon.kill()
