from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from podway.lab.children import Child, Command, start, stop

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


def python(name: str, code: str, stdin: str = "") -> Command:
    return Command(name, [sys.executable, "-c", code], stdin)


def wait_for_output(child: Child) -> bytes:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        data = child.output.read()
        if data:
            return data
        time.sleep(0.01)
    raise AssertionError(f"{child.name} said nothing")


def patient(seconds: float) -> bool:
    time.sleep(seconds)
    return True


def test_standard_input_and_both_outputs() -> None:
    code = "import sys; sys.stderr.write(sys.stdin.read().upper())"
    child = start(python("echo", code, "hello"))
    assert wait_for_output(child) == b"HELLO"
    child.process.wait(20)
    assert child.poll() == 0
    child.output.close()


def test_stop_is_kind_first_and_kills_what_does_not_listen() -> None:
    children = [start(python("kind", SLEEP)), start(python("stubborn", STUBBORN))]
    for child in children:
        wait_for_output(child)
    assert stop(children, 0.5, patient) == ["stubborn"]
    assert [child.exit_code for child in children] == [-signal.SIGTERM, -signal.SIGKILL]
    for child in children:
        child.output.close()


def test_an_impatient_user_is_not_kept_waiting() -> None:
    child = start(python("stubborn", STUBBORN))
    wait_for_output(child)
    begun = time.monotonic()
    assert stop([child], 60, lambda _: False) == ["stubborn"]
    assert time.monotonic() - begun < 30
    child.output.close()


def test_killing_takes_what_the_child_started_too() -> None:
    code = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(p.pid, flush=True); time.sleep(60)"
    )
    child = start(python("parent", code))
    grandchild = int(wait_for_output(child))
    child.kill()
    child.output.close()
    end = time.monotonic() + 10
    while _runs(grandchild) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _runs(grandchild)


def test_children_end_with_their_parent_even_if_it_is_killed() -> None:
    code = (
        "import sys, time; from podway.lab.children import Command, start; "
        f"c = start(Command('x', [sys.executable, '-c', {SLEEP!r}])); "
        "time.sleep(0.2); print(c.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    with parent:
        child = int(parent.stdout.readline())
        assert _runs(child)
        parent.kill()
        end = time.monotonic() + 10
        while _runs(child) and time.monotonic() < end:
            time.sleep(0.01)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
