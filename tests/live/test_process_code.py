"""New code on disk: SIGHUP and SIGUSR2 take it; code that fails changes nothing."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from process_rig import COMMAND, Client, EchoDaemon, until

import podway_proxy

pytestmark = pytest.mark.live


class Installed(NamedTuple):
    """A daemon that runs from a copy of the code, which a test may change."""

    daemon: EchoDaemon
    worker: Path
    master: Path


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    package = tmp_path / "podway_proxy"
    shutil.copytree(Path(podway_proxy.__file__).parent, package)
    code = tmp_path / "echo"
    shutil.copytree(COMMAND.parent, code)
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program = code / COMMAND.name
    daemon = EchoDaemon(tmp_path, content={"entries": {"a": 1}}, env=env, program=program)
    try:
        daemon.wait_event("ready")
        yield Installed(daemon, code / "echo_worker.py", package / "process" / "master.py")
    finally:
        daemon.kill()


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_sighup_runs_the_code_on_disk_and_the_old_code_finishes_its_connections(
    installed: Installed,
) -> None:
    daemon, worker, _ = installed
    with Client(daemon.address) as old:
        assert old.ask()[1] == 1
        change(worker, "json.dumps(self._entries.get(key))", "json.dumps('new code')")
        daemon.signal(signal.SIGHUP)
        daemon.wait_event("reloaded")
        assert daemon.ask()[1] == "new code"
        assert old.ask()[1] == 1


def test_workers_whose_new_code_fails_leave_the_old_ones_serving(installed: Installed) -> None:
    daemon, worker, _ = installed
    before = set(daemon.children())
    change(worker, "class EchoWorker:", "class EchoWorker(")
    daemon.signal(signal.SIGHUP)
    assert "worker" in daemon.wait_event("reload failed")["reason"]
    assert "SyntaxError" in daemon.wait_event("unexpected error")["error"]
    until(lambda: set(daemon.children()) == before, "the new generation to go")
    assert daemon.ask()[1] == 1
    change(worker, "class EchoWorker(", "class EchoWorker:")
    daemon.signal(signal.SIGHUP)
    daemon.wait_event("reloaded")
    assert daemon.ask()[1] == 1


def test_a_master_whose_new_code_fails_goes_on_with_the_old(installed: Installed) -> None:
    daemon, _, master = installed
    change(master, "import os\n", "import os\nimport no_such_module\n")
    daemon.signal(signal.SIGUSR2)
    assert "rehearsal" in daemon.wait_event("master not re-executed")["reason"]
    assert daemon.ask()[1] == 1
    change(master, "import no_such_module\n", "")
    change(master, '"master re-executed"', '"new master"')
    daemon.signal(signal.SIGUSR2)
    daemon.wait_event("new master")
    assert daemon.ask()[1] == 1
    assert daemon.stop() == 0


def test_state_of_another_format_is_not_taken(installed: Installed) -> None:
    daemon, _, master = installed
    change(master.parent / "handover.py", "FORMAT: Final = 1", "FORMAT: Final = 2")
    daemon.signal(signal.SIGUSR2)
    daemon.wait_event("master not re-executed")
    assert any("restart the daemon" in line for line in daemon.raw)
    assert daemon.ask()[1] == 1
