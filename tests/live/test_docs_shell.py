"""The shell blocks of the READMEs that are marked `sh run`, run against a lab as they stand.

Only what differs on a busy machine is replaced: the ports, the addresses and the state directory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lab_rig
import pytest
from lab_rig import Lab
from readme_blocks import Block, blocks

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with lab_rig.running() as running:
        running.wait_for("Ctrl-C ends")
        yield running


@pytest.mark.parametrize("block", list(blocks("sh run")), ids=str)
def test_shell_block(block: Block, lab: Lab) -> None:
    text = lab.moved(block.text)
    for before, after in (
        ("~/.local/state/podway", str(lab.state)),
        (":8080", f":{lab.http}"),
        (":8443", f":{lab.https}"),
        ("-p 5353", f"-p {lab.dns_port}"),
    ):
        text = text.replace(before, after)
    # `podway trace` finds the running lab by its state directory.
    (home := lab.state.with_name("xdg")).mkdir(exist_ok=True)
    if not (home / "podway").exists():
        (home / "podway").symlink_to(lab.state)
    path = f"{Path(lab.python).parent}:{lab.environment['PATH']}"
    environment = {**lab.environment, "PATH": path, "XDG_STATE_HOME": str(home)}
    directory = lab.manifests.parent
    done = lab_rig.run(["bash", "-euo", "pipefail", "-c", text], env=environment, cwd=directory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr
