"""A container engine for the compose test: the one that answers, else one of our own.

Our own has its data, sockets and containerd in a temporary directory, and nothing of it is left
when it ends: processes, bridges, mounts, packet filter rules, the forwarding switch.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

START_SECONDS = 60.0
STOP_SECONDS = 60.0
FILTERS = ("iptables", "ip6tables")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


class Engine(NamedTuple):
    """An engine that answers."""

    host: str
    """DOCKER_HOST."""
    version: str
    own: bool
    """Started by us, and ended with all that it holds."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment of everything that talks to it; the classic builder."""
        plain = {key: text for key, text in os.environ.items() if not key.startswith("PODWAY_")}
        return plain | {
            "DOCKER_HOST": self.host,
            "DOCKER_BUILDKIT": "0",
            "COMPOSE_DOCKER_CLI_BUILD": "0",
            "COMPOSE_ANSI": "never",
        }

    def docker(self, *arguments: str, seconds: float = 120, stdin: object = None) -> str:
        """Run `docker`; give its output. Fails the test with what it said."""
        return run(["docker", *arguments], self.environment, seconds, stdin)


def run(
    command: list[str],
    environment: dict[str, str] | None = None,
    seconds: float = 120,
    stdin: object = None,
) -> str:
    """Run a command within a deadline; give its standard output."""
    done = subprocess.run(
        command, env=environment, stdin=stdin, capture_output=True, text=True, timeout=seconds
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Give the engine that answers; start one (as root) where none does."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if version := _version(host):
        yield Engine(host, version, own=False)
        return
    assert os.geteuid() == 0, f"no engine answers at {host}, and only root can start one"
    assert shutil.which("dockerd"), "no dockerd: sudo apt-get install docker.io docker-compose"
    directory = Path(tempfile.mkdtemp(prefix="podway-engine-"))  # short: sockets' names are
    rules = {filter_: _rules(filter_) for filter_ in FILTERS}
    forwarding = FORWARDING.read_text()
    host = f"unix://{directory}/sock"
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            # No bridge: builds use the host's network, and the lab brings its own.
            ["dockerd", "--host", host, "--bridge", "none"]
            + [f"--{one}={directory}/{one}" for one in ("data-root", "exec-root", "pidfile")],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Engine(host, _answering(host, process, directory / "log"), own=True)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()
            _unmount(directory)
            shutil.rmtree(directory)
            for filter_, before in rules.items():
                _restore(filter_, before)
            FORWARDING.write_text(forwarding)


def _answering(host: str, process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + START_SECONDS
    while not (version := _version(host)):
        assert process.poll() is None, f"dockerd ended:\n{log.read_text()[-3000:]}"
        assert time.monotonic() < end, f"dockerd does not answer:\n{log.read_text()[-3000:]}"
        time.sleep(0.1)
    return version


def _version(host: str) -> str:
    """Give the version of the engine there; empty when none answers."""
    command = ["docker", "--host", host, "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _unmount(directory: Path) -> None:
    """Unmount what the engine has left mounted: a name for the host's network."""
    places = (line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines())
    for place in sorted((one for one in places if one.startswith(f"{directory}/")), reverse=True):
        run(["umount", place])


def _rules(filter_: str) -> str:
    try:
        done = subprocess.run([f"{filter_}-save"], capture_output=True, text=True, timeout=20)
    except OSError:
        return ""
    return done.stdout


def _restore(filter_: str, before: str) -> None:
    """Take away the chains and rules of the engine, and give FORWARD its policy back.

    dockerd leaves them where they are. Rules of others that came in the meantime stay.
    """
    after = _rules(filter_)
    if "DOCKER" in before or "DOCKER" not in after:
        return
    kept = "".join(line for line in after.splitlines(keepends=True) if "DOCKER" not in line)
    policy = re.search(r"^:FORWARD (\w+)", before, re.MULTILINE)
    kept = re.sub(
        r"^:FORWARD DROP", f":FORWARD {policy[1] if policy else 'ACCEPT'}", kept, flags=re.M
    )
    subprocess.run([f"{filter_}-restore"], input=kept, text=True, check=True, timeout=20)
