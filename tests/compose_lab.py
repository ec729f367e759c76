"""The lab of docker-compose.yml on a real engine, on ports and networks of its own."""

from __future__ import annotations

import contextlib
import functools
import json
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from compose_engine import Engine, run

ROOT = Path(__file__).resolve().parents[1]
UP_SECONDS = 120.0
LB_A, LB_B = "127.0.0.1", "127.0.0.2"
DAEMONS = ("dns", "lb-a", "lb-b", "router-a", "router-b")
PODS = ("webapp-1", "webapp-2", "secure", "shop-v1", "shop-v2", "tickets")

Say = Callable[[str], None]
"""Notes a figure for the end of the run."""


class Compose(NamedTuple):
    """One way to call Compose."""

    command: tuple[str, ...]
    version: str


class Lab(NamedTuple):
    """A running lab."""

    engine: Engine
    compose: Compose
    project: str
    directory: Path
    """Holds copies of docker-compose.yml and manifests."""
    settings: dict[str, str]
    net: str
    """The first two numbers of all its addresses: `10.89` in the repository."""

    @property
    def http(self) -> int:
        """The published port."""
        return int(self.settings["PODWAY_HTTP_PORT"])

    @property
    def https(self) -> int:
        """The published port."""
        return int(self.settings["PODWAY_HTTPS_PORT"])

    @property
    def dns(self) -> int:
        """The published port."""
        return int(self.settings["PODWAY_DNS_PORT"])

    def at(self, rest: str) -> str:
        """Give the address that is `10.89.<rest>` in the repository."""
        return f"{self.net}.{rest}"

    def call(self, *arguments: str, seconds: float = 180) -> str:
        """Run Compose on this lab; give its output."""
        return run(self.line(*arguments), self.environment, seconds)

    def line(self, *arguments: str) -> list[str]:
        """Give the whole command line."""
        file = str(self.directory / "docker-compose.yml")
        return [*self.compose.command, "-p", self.project, "-f", file, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """What Compose and the shell lines are run with."""
        return self.engine.environment | self.settings

    def inspect(self, service: str) -> Any:
        """Give what the engine knows of a service's container."""
        return json.loads(self.engine.docker("inspect", self.container(service)))[0]

    def container(self, service: str) -> str:
        """Give the id of a service's container, running or not."""
        ours = f"label=com.docker.compose.project={self.project}"
        that = f"label=com.docker.compose.service={service}"
        found = self.engine.docker("ps", "-aq", "--filter", ours, "--filter", that).split()
        assert len(found) == 1, f"{service}: {found}"
        return found[0]

    def inside(self, service: str, *command: str) -> str:
        """Run a command in a service's container."""
        return self.engine.docker("exec", self.container(service), *command)

    def wait_healthy(self, *services: str) -> None:
        """Wait until the engine calls these services healthy."""
        end = time.monotonic() + UP_SECONDS
        for service in services:
            while (state := self.inspect(service)["State"])["Health"]["Status"] != "healthy":
                said = f"{service}: {state}\n{self.call('logs', service)[-3000:]}"
                assert time.monotonic() < end, said
                time.sleep(0.3)


@functools.cache
def composes() -> Sequence[Compose]:
    """Give the versions of Compose that are installed: 1, 2, or both."""
    found = []
    for command in (("docker-compose",), ("docker", "compose")):
        with contextlib.suppress(OSError):  # not installed
            done = subprocess.run(
                [*command, "version", "--short"], capture_output=True, text=True, timeout=60
            )
            if done.returncode == 0:
                found.append(Compose(command, done.stdout.strip()))
    assert found, "no Compose: sudo apt-get install docker-compose"
    return found


@contextlib.contextmanager
def running(engine: Engine, compose: Compose, image: str, directory: Path) -> Iterator[Lab]:
    """Run the lab until the block ends; nothing of it may be left then."""
    net = f"10.{random.randrange(100, 200)}"
    shutil.copytree(ROOT / "manifests", directory / "manifests")
    shutil.copy(ROOT / "docker-compose.yml", directory)
    for file in (directory / "docker-compose.yml", *directory.rglob("*.yaml")):
        file.write_text(file.read_text().replace("10.89.", f"{net}."))
    for path in (directory, *directory.parents[:-1], *directory.rglob("*")):
        if path.stat().st_uid == 0 and path != Path("/tmp"):  # the containers' user reads it too
            path.chmod(path.stat().st_mode | 0o055 if path.is_dir() else 0o644)
    ports = _free_ports()
    names = ("PODWAY_HTTP_PORT", "PODWAY_HTTPS_PORT", "PODWAY_DNS_PORT")
    settings = dict(zip(names, map(str, ports), strict=True)) | {"PODWAY_IMAGE": image}
    project = f"podway-test-{random.randrange(10**6)}"
    lab = Lab(engine, compose, project, directory, settings, net)
    try:
        lab.call("up", "-d")
        lab.wait_healthy(*DAEMONS, *PODS)
        yield lab
    finally:
        lab.call("down", "--volumes", "--timeout", "10")
        assert left_over(lab) == []


def left_over(lab: Lab) -> list[str]:
    """Name the containers, networks and volumes of the project."""
    ours = ("-q", "--filter", f"label=com.docker.compose.project={lab.project}")
    kinds = (("ps", "-a"), ("network", "ls"), ("volume", "ls"))
    return [name for kind in kinds for name in lab.engine.docker(*kind, *ours).split()]


def _free_ports() -> list[int]:
    """Give three ports that are free on both published addresses, over TCP and UDP."""
    found: list[int] = []
    while len(found) < 3:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind((LB_A, 0))
            port = first.getsockname()[1]
            stack.enter_context(socket.socket()).bind((LB_B, port))
            stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind((LB_A, port))
            found.append(port)
    return found
