"""Runs the test daemon (tests/live/echo_daemon) and looks at it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
PATIENCE = 20.0
COMMAND = Path(__file__).parent / "live" / "echo_daemon" / "echo_command.py"


def until(met: Callable[[], T], what: str = "the condition") -> T:
    """Poll until `met()` gives something true; give that."""
    deadline = time.monotonic() + PATIENCE
    while not (value := met()):
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.01)
    return value


def free_address() -> tuple[str, int]:
    """A loopback address that hardly anybody else uses, with a free port."""
    host = f"127.{random.randint(200, 250)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
    with socket.socket() as sock:
        sock.bind((host, 0))
        return host, sock.getsockname()[1]


def listener(address: tuple[str, int], **more: Any) -> dict[str, Any]:
    host, port = address
    return {"key": f"tcp {host}:{port}", "host": host, "port": port, **more}


class EchoDaemon:
    """One running daemon; `lines` is its log."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        content: dict[str, Any],
        python: str = sys.executable,
        program: Path = COMMAND,
        **popen: Any,
    ) -> None:
        self.address = free_address()
        self.admin = free_address()
        self.file = directory / f"echo-{self.address[1]}.json"
        self.write({"listeners": [listener(self.address, why="the test")], **content})
        host, port = self.admin
        command = [python, str(program), "--file", str(self.file), "--workers", "2"]
        command += ["--admin", f"{host}:{port}", "--drain-wait", "0", "--log-format", "json"]
        self.process = subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, **popen)
        self.lines: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def write(self, content: dict[str, Any] | str) -> None:
        """Replace the daemon's file, in one step."""
        self.content = content
        text = content if isinstance(content, str) else json.dumps(content)
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o644)
        new.rename(self.file)

    def update(self, **changes: Any) -> None:
        assert isinstance(self.content, dict)
        self.write({**self.content, **changes})

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stderr:
            for line in stderr:
                self.raw.append(line.decode())
                with contextlib.suppress(ValueError):  # what is no record is looked at in `raw`
                    self.lines.append(json.loads(line))

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") == event]

    def wait_event(self, event: str, count: int = 1) -> dict[str, Any]:
        def seen() -> bool:
            return len(self.events(event)) >= count or self.process.poll() is not None

        until(seen, f"{count} of {event!r}")
        self._reader.join(0 if self.process.poll() is None else PATIENCE)
        assert len(self.events(event)) >= count, "".join(self.raw)
        return self.events(event)[count - 1]

    def wait_exit(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait_exit()

    def kill(self) -> None:
        """End what a failed test left."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait_exit()

    def children(self, role: str = "") -> dict[int, str]:
        """Living children by pid: their role, as the process list shows it."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):  # it ended while we looked
                pid = int(entry.name)
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if int(fields[1]) == self.process.pid and fields[0] != "Z" and len(words) > 7:
                    found[pid] = words[6].decode()
        return {pid: found[pid] for pid in found if role in found[pid]}

    def ask(self, key: str = "a", address: tuple[str, int] | None = None) -> tuple[int, Any]:
        """Ask over a new connection: the worker's pid and the entry."""
        with Client(address or self.address) as client:
            return client.ask(key)

    def http(self, path: str) -> tuple[int, str]:
        host, port = self.admin
        try:
            with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        for line in self.http("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.rpartition(" ")[2])
        raise KeyError(name)


class Client:
    """One connection to the daemon."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, PATIENCE)
        self.file = self.sock.makefile("rb")

    def ask(self, key: str = "a") -> tuple[int, Any]:
        self.sock.sendall(key.encode() + b"\n")
        line = self.file.readline()
        assert line.endswith(b"\n"), f"the connection ended: {line!r}"
        pid, _, value = line.partition(b" ")
        return int(pid), json.loads(value)

    def close(self) -> None:
        self.file.close()
        self.sock.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Load(threading.Thread):
    """New connections one after the other, and one that stays: `failures` must stay empty."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.failures: list[str] = []
        self.asked = 0
        self.pids: set[int] = set()
        self._finished = threading.Event()

    def run(self) -> None:
        with Client(self.address) as kept:
            while not self._finished.is_set():
                self._once(kept)

    def _once(self, kept: Client) -> None:
        try:
            with Client(self.address) as fresh:
                self.pids.add(fresh.ask()[0])
            kept.ask()
            self.asked += 1
        except (OSError, AssertionError) as error:
            self.failures.append(repr(error))

    def wait(self, more: int) -> None:
        goal = self.asked + more
        until(lambda: self.asked >= goal or self.failures, "more requests")

    def finish(self) -> None:
        self._finished.set()
        self.join(PATIENCE)
        assert not self.failures, self.failures[:3]
        assert self.asked > 0


@contextlib.contextmanager
def load(address: tuple[str, int], threads: int = 2) -> Iterator[list[Load]]:
    """Load during the block; no request may fail."""
    loads = [Load(address) for _ in range(threads)]
    for one in loads:
        one.start()
    yield loads
    for one in loads:
        one.finish()


def as_nobody(argv: list[str]) -> list[str]:
    """Run a command as a user without any right, where we are root; else as we are."""
    if os.geteuid() != 0:
        return argv
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *argv]


def python_for_others() -> tuple[str, dict[str, str]]:
    """An interpreter that any user may execute, and the environment that finds podway with it.

    The one that runs the tests may lie in a home directory (pyenv, uv).
    """
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    for python in (sys.executable, f"/usr/bin/{version}"):
        again = "os.execv(sys.executable, [sys.executable, '-c', ''])"
        argv = as_nobody([python, "-c", f"import os, sys, uvloop, podway_proxy; {again}"])
        if subprocess.run(argv, env=env, capture_output=True, check=False).returncode == 0:
            return python, env
    pytest.skip("no Python here that another user may execute")


def status(pid: int) -> dict[str, str]:
    """The fields of /proc/<pid>/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
