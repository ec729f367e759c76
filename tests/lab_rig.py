"""Runs `podway up` for a test: on addresses and ports of its own, as a user without privileges."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from podway.lab.plan import read_lab
from podway.lab.ports import first_taken
from podway_cluster import load

ROOT = Path(__file__).resolve().parents[1]
UP_SECONDS = 60.0
STOP_SECONDS = 30.0
NOBODY = "nobody"
TRIES = 20
PARTS = ("proxy", "cluster", "dns", "lb", "router", ".")


class Lab(NamedTuple):
    """A running lab."""

    process: subprocess.Popen[str]
    log: Path
    state: Path
    manifests: Path
    http: int
    https: int
    dns_port: int
    moved: Callable[[str], str]
    """Turns an address of manifests/lab into the one that this lab has in its place."""
    python: str
    environment: dict[str, str]

    @property
    def dns(self) -> str:
        """The name server's address."""
        return self.moved("127.0.1.53")

    def said(self) -> str:
        """Everything that it has written."""
        return self.log.read_text()

    def wait_for(self, text: str, seconds: float = UP_SECONDS) -> str:
        """Wait until it has written `text`; give all that it has written."""
        end = time.monotonic() + seconds
        while text not in (said := self.said()):
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{said}"
            assert time.monotonic() < end, f"{text!r} was not said in {seconds} s:\n{said}"
            time.sleep(0.02)
        return said

    def podway(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another `podway` command beside it."""
        command = [self.python, "-m", "podway.command", *arguments]
        state = ["--state-dir", str(self.state)]
        return run([*command, *state], env=self.environment, user=user())

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does; give its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


def run(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
    """Run a command within a deadline; its output is text."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


def user() -> str | None:
    """The user to run the lab as: nobody when the tests run as root, else the present one."""
    return NOBODY if os.geteuid() == 0 else None


def usable_python(directory: Path) -> tuple[str, dict[str, str]]:
    """Give an interpreter, with podway's commands beside it, that `user()` may run.

    The one of the tests may lie in root's home; then the system's own is taken, with the same
    packages. Where there is none either, the test is skipped.
    """
    environment = {**os.environ, "HOME": str(directory), "PYTHONDONTWRITEBYTECODE": "1"}
    if _runs(sys.executable, environment):
        return sys.executable, environment
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if not _runs(system, environment):
        pytest.skip(f"{user()} may run neither {sys.executable} nor {system} on {ROOT}")
    return str(_copy_environment(Path(system), directory)), environment


def _runs(python: str, environment: dict[str, str]) -> bool:
    try:
        probe = run([python, "-c", "import sys"], env=environment, user=user(), cwd=ROOT)
    except OSError:
        return False
    return probe.returncode == 0


def _copy_environment(system: Path, directory: Path) -> Path:
    """Make a virtual environment of the system's Python that sees the packages of the tests'."""
    made = directory / "venv"
    subprocess.run([system, "-m", "venv", "--without-pip", made], check=True, timeout=60)
    (packages,) = made.glob("lib/python*/site-packages")
    paths = [sysconfig.get_path("purelib"), *(str(ROOT / part) for part in PARTS)]
    (packages / "podway.pth").write_text("\n".join(paths) + "\n")
    python = made / "bin" / "python"
    for script in Path(sys.executable).parent.glob("podway*"):
        body = script.read_text().partition("\n")[2]
        copied = made / "bin" / script.name
        copied.write_text(f"#!{python}\n{body}")
        copied.chmod(0o755)
    return python


@contextlib.contextmanager
def running() -> Iterator[Lab]:
    """Run a lab, in a directory and on addresses of its own, until the block ends.

    The directory is not pytest's: other test runs on the machine take away the right to enter it.
    """
    with tempfile.TemporaryDirectory(prefix="podway-lab-") as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        python, environment = usable_python(directory)
        moved = _objects(directory / "manifests")
        ports = [_free_port(moved("127.0.2.1")) for _ in range(3)]
        state, log = directory / "state", directory / "up.log"
        state.mkdir()
        if os.geteuid() == 0:
            _give_away(directory)
        process = _start(python, environment, directory, ports)
        stack.callback(_end, process)
        yield Lab(process, log, state, directory / "manifests", *ports, moved, python, environment)


def _start(
    python: str, environment: dict[str, str], directory: Path, ports: list[int]
) -> subprocess.Popen[str]:
    manifests = directory / "manifests"
    command = [str(Path(python).with_name("podway")), "up"]
    command += ["--state-dir", str(directory / "state"), "--manifests", str(manifests / "apps")]
    command += ["--manifests", str(manifests / "lab"), f"--http-port={ports[0]}"]
    command += [f"--https-port={ports[1]}", f"--dns-port={ports[2]}"]
    with (directory / "up.log").open("w") as out:
        return subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=environment, user=user(), text=True
        )


def _end(process: subprocess.Popen[str]) -> None:
    """Stop it, if the test has not: SIGTERM, then SIGKILL (its children end with it)."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _objects(manifests: Path) -> Callable[[str], str]:
    """Copy the objects, moved to addresses on which nobody listens; give the move."""
    for _ in range(TRIES):
        moved = _elsewhere()
        for part in ("apps", "lab"):
            shutil.copytree(ROOT / "manifests" / part, manifests / part, dirs_exist_ok=True)
        for file in manifests.rglob("*.yaml"):
            file.write_text(moved(file.read_text()))
        if not first_taken(read_lab(load([manifests])).fixed):
            return moved
    raise AssertionError(f"no free addresses found in {TRIES} tries")


def _elsewhere() -> Callable[[str], str]:
    """Give a move of all addresses of the lab, so that no other lab on the machine is met."""
    after = dict(zip(("0", "1", "128"), random.sample(range(2, 120), 3), strict=True))

    def moved(text: str) -> str:
        return re.sub(r"\b127\.(0|1|128)\.", lambda found: f"127.{after[found[1]]}.", text)

    return moved


def _free_port(host: str) -> int:
    with socket.socket() as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port


def _give_away(directory: Path) -> None:
    """Let nobody write in the directory."""
    owner = pwd.getpwnam(NOBODY)
    for path in (directory, *directory.rglob("*")):
        if "venv" not in path.parts:
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
