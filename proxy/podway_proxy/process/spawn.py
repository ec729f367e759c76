"""Starting processes: fork and exec of a fresh, lean interpreter.

`-S` leaves out `site` (a third of the interpreter's start-up); the search path is handed over as
it is here. `-c` with one import leaves out runpy. The garbage collector rests until `settle`: it
finds nothing in a program that only grows, and takes a twentieth of its start.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from podway_proxy.process import privileges, signals

NOT_EXECUTED: Final = 127
"""Exit code of a child that could not become the program (the shell's convention)."""
_PATH: Final = "_PODWAY_SYS_PATH"
_PROGRAM: Final = (
    "import gc,os,sys;gc.disable();sys.path[:]=os.environ['_PODWAY_SYS_PATH'].split(os.pathsep);"
    "from podway_proxy.process.{0} import {1};{1}()"
)


def arguments(module: str, function: str, words: Sequence[str]) -> list[str]:
    """Give the command line that runs a function of a module of ours; `words` are for ps."""
    return [sys.executable, "-S", "-c", _PROGRAM.format(module, function), *words]


def environment(module: str = "") -> dict[str, str]:
    """Give this process's environment, with its search path for the next interpreter.

    A loader gives back what the first reading took: unless told so, glibc keeps more the larger
    the blocks were that were freed (mallopt(3), M_TRIM_THRESHOLD; 5 of 102 MB for 10,000 Routes).
    """
    tuned = {"MALLOC_TRIM_THRESHOLD_": "131072"} if module == "loader" else {}
    return {**tuned, **os.environ, _PATH: os.pathsep.join(path for path in sys.path if path)}


def spawn(module: str, function: str, words: Sequence[str], keep: Iterable[int]) -> int:
    """Start a process that keeps these descriptors (under their numbers); give its pid."""
    argv, env, master = arguments(module, function, words), environment(module), os.getpid()
    signals.hold()
    pid = os.fork()
    if pid == 0:
        _exec(argv, env, keep, master)
    signals.release()
    return pid


def _exec(argv: list[str], env: dict[str, str], keep: Iterable[int], master: int) -> None:
    """Become the program; whatever fails here ends the child, never the copy of the master."""
    try:
        signals.reset_in_child()
        privileges.confine_child(master)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        for fd in keep:
            os.set_inheritable(fd, True)
        os.execve(argv[0], argv, env)  # noqa: S606 - our own interpreter, no shell
    finally:
        os._exit(NOT_EXECUTED)


def settle() -> None:
    """End the start: what is there now stays and is not walked again; collect from now on."""
    gc.freeze()
    gc.enable()


def call_me(name: str) -> None:
    """Set the name that `ps` and `top` show (15 bytes, TASK_COMM_LEN)."""
    with open("/proc/self/comm", "w", encoding="ascii", errors="replace") as file:
        file.write(name[:15])
