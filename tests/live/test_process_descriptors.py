"""Daemons with few descriptors: they take all that they may, and what is too much waits."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, Pod, address, free_port, get, held, until

pytestmark = pytest.mark.live
FEW = 64


def router(directory: Path, pod: Pod) -> tuple[Daemon, tuple[str, int]]:
    directory.mkdir()
    manifests, host = Manifests(directory), address()
    where = (host, free_port(host))
    manifests.put(
        "site",
        controller("apps", where[1], free_port(host), free_port(host)),
        service("web"),
        endpoints("web", pod.where),
        route("web", "web.t", "web"),
    )
    usual = ("--name", "apps", "--bind", host, "--allow-loopback-endpoints")
    return Daemon("podway-router", manifests, *usual, workers=1), where


def limits(pid: int) -> tuple[int, int]:
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)


def exhausted(daemon: Daemon) -> bool:
    name = "podway_router_plane_exhausted_total "
    lines = daemon.get("/metrics")[1].splitlines()
    return any(line.startswith(name) and float(line.split()[1]) > 0 for line in lines)


def settled(worker: int) -> bool:
    """Tell whether a worker has imported what only some requests need."""
    return "_hashlib" in Path(f"/proc/{worker}/maps").read_text()


def test_the_soft_limit_is_raised_to_the_hard_one(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Pod("web") as pod:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        try:
            daemon, _ = router(tmp_path / "manifests", pod)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with daemon:
            (worker,) = daemon.pids("worker")
            assert limits(worker) == (hard, hard)


def test_out_of_descriptors_it_says_so_and_recovers(tmp_path: Path) -> None:
    with Pod("web") as pod:
        daemon, where = router(tmp_path / "manifests", pod)
        with daemon:
            (worker,) = daemon.pids("worker")
            until("what only some requests need is there", lambda: settled(worker))
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (FEW, limits(worker)[1]))
            with contextlib.ExitStack() as crowd:
                for _ in range(2 * FEW):
                    crowd.enter_context(held(where))
                until("it has no descriptor left", lambda: exhausted(daemon))
            assert get(where, "web.t")[0] == 200, "who came meanwhile waited in the queue"
        (warning,) = (one for one in daemon.events() if "out of descriptors" in one["event"])
        assert "LimitNOFILE" in warning["advice"]
