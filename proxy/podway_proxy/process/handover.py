"""SIGUSR2: the master executes itself anew, with the same pid, sockets and children.

The new program is rehearsed first: an interpreter that only imports it. If that fails, the old
program goes on.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from podway_proxy.process import privileges, signals
from podway_proxy.process.spawn import arguments, environment, spawn

if TYPE_CHECKING:
    from podway_proxy.process.master import Master

FORMAT: Final = 1
"""Of the state that one program leaves to the next; a program takes its own format only."""
_STATE: Final = "_PODWAY_MASTER_STATE"
_rehearsals: dict[int, int] = {}


def prepare(master: Master) -> None:
    """Rehearse the new program; `rehearsed` goes on from there."""
    if not _rehearsals:
        words = [master.crew.daemon.name, "rehearsal", str(FORMAT)]
        pid = spawn("handover", "rehearse", words, [])
        _rehearsals[pid] = pid


def rehearse() -> None:
    """Import the master, to see whether it can be executed and reads what it would be left."""
    import podway_proxy.process.master  # noqa: F401 - importing it is the test

    if int(sys.argv[3]) != FORMAT:
        sys.exit(f"the new program reads state of format {FORMAT}; restart the daemon instead")


def rehearsed(master: Master, pid: int, code: int) -> bool:
    """Execute the new program if its rehearsal ended well. Tells whether the pid was one."""
    if _rehearsals.pop(pid, None) is None:
        return False
    if code != 0:
        master.log.error(
            "master not re-executed",
            reason=f"its rehearsal ended with code {code}",
            advice="the running master goes on; repair the code and send SIGUSR2 again",
        )
    elif not master.stopping.begun:
        execute(master)
    return True


def execute(master: Master) -> None:
    """Become the new program."""
    signals.hold()
    _settle(master)
    crew = master.crew
    state = {
        "crew": crew.freeze(),
        "style": crew.log.style,
        "listeners": master.listeners.freeze(),
        "why_not_ready": master.why_not_ready,
    }
    fd = os.memfd_create("podway-master", 0)
    os.write(fd, json.dumps(state).encode())
    for one in crew.descriptors():
        os.set_inheritable(one, True)
    who = f"{crew.daemon.name}[{crew.daemon.instance}]"
    privileges.keep_over_exec()
    argv = arguments("master", "resume", [who, "master"])
    os.execve(argv[0], argv, environment() | {_STATE: str(fd)})  # noqa: S606 - ourselves


def take() -> dict[str, Any]:
    """Read what the program before left, and keep its descriptors from children."""
    fd = int(os.environ.pop(_STATE))
    with open(fd, "rb") as file:
        file.seek(0)
        state: dict[str, Any] = json.load(file)
    crew = state["crew"]
    children = [child for one in crew["generations"] for child in one["children"]]
    held = [crew["counters_fd"], crew["state_fd"], *crew.get("limits_fds", ())]
    for child in children:
        held += [child["channel"]["fd"], *child["channel"]["fds"]]
    for one in held:
        if one >= 0:
            os.set_inheritable(one, False)
    return state


def _settle(master: Master) -> None:
    """Write out what is pending: a process that does not read for a second is replaced."""
    import signal
    import time

    until = time.monotonic() + 1.0
    for child in list(master.crew.children()):
        while child.channel.pending and time.monotonic() < until:
            child.channel.flush()
            time.sleep(0.01)
        if child.channel.pending:
            os.kill(child.pid, signal.SIGKILL)
