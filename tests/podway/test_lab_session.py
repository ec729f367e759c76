from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from podway.lab.children import Command
from podway.lab.screen import Screen
from podway.lab.session import CLEAN, FAILED, Session

FOREVER = "import time; print('up', flush=True); time.sleep(60)"
DEADLINE = 30.0


class Watched(io.StringIO):
    """Sends this process a signal as soon as a text was written."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__()
        self._text = text
        self._number = number

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._text and self._text in self.getvalue():
            self._text = ""
            os.kill(os.getpid(), self._number)
        return written


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    timer = threading.Timer(DEADLINE, os._exit, (70,))
    timer.start()
    yield
    timer.cancel()


def python(name: str, code: str) -> Command:
    return Command(name, [sys.executable, "-c", code])


def run(out: io.StringIO, *commands: Command) -> int:
    with contextlib.closing(Session(Screen(out, colour=False, width=4))) as session:
        session.launch(commands)
        return session.run()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_cleanly(number: int) -> None:
    out = Watched("b    │ up", number)
    assert run(out, python("a", FOREVER), python("b", FOREVER)) == CLEAN
    assert "all stopped after" in out.getvalue()


def test_the_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    run(Watched("a    │ up", signal.SIGINT), python("a", FOREVER))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_process_that_ends_by_itself_ends_the_lab_and_is_named() -> None:
    out = io.StringIO()
    ending = "import sys; sys.stderr.write('port taken\\n'); sys.exit(3)"
    assert run(out, python("a", FOREVER), python("b", ending)) == FAILED
    lines = out.getvalue().splitlines()
    assert lines.index("b    │ port taken") < lines.index("b ended with exit code 3")


def test_a_killed_process_is_named_with_the_signal() -> None:
    out = io.StringIO()
    killed = "import os; os.kill(os.getpid(), 9)"
    assert run(out, python("b", killed)) == FAILED
    assert "b ended by signal SIGKILL" in out.getvalue()


def test_a_launch_that_fails_leaves_nothing_behind() -> None:
    session = Session(Screen(io.StringIO(), colour=False))
    with pytest.raises(FileNotFoundError), contextlib.closing(session):
        session.launch([python("a", FOREVER), Command("b", ["/no/such/program"])])
    assert all(child.exit_code is not None for child in session._children)


def test_what_another_thread_posts_is_done_in_the_loop() -> None:
    out = Watched("posted", signal.SIGTERM)
    here = threading.get_ident()
    done: list[bool] = []

    def action() -> None:
        done.append(threading.get_ident() == here)
        out.write("posted")

    with contextlib.closing(Session(Screen(out, colour=False))) as session:
        session.launch([python("a", FOREVER)])
        poster = threading.Thread(target=session.post, args=(action,))
        poster.start()
        assert session.run() == CLEAN
        poster.join()
    assert done == [True]
