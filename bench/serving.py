"""Starting servers, and ending them whatever happens."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.peers.peer import Launch

PATIENCE = 10.0
"""Seconds for a server to end after SIGTERM."""


@contextlib.contextmanager
def running(
    launch: Launch, processors: str, user: str, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on these processors as that user until the block ends; gives its process.

    It has a session of its own, so Ctrl-C reaches us alone and we end it in order. What it
    prints stands in `output` in the folder.
    """
    with (folder / "output").open("ab") as output:
        child = subprocess.Popen(
            ["taskset", "-c", processors, *launch.argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env={**os.environ, **launch.env},
            start_new_session=True,
            user=user or None,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask it to end; then kill what is left of its session."""
    child.terminate()
    deadline = time.monotonic() + PATIENCE
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):  # nothing is left
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
