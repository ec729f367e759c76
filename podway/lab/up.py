"""`podway up`: start everything, say how to use it, pass on what happens until told to stop."""

from __future__ import annotations

import contextlib
import os
import sys
from threading import Thread

from podway.lab import state
from podway.lab.first_answer import Probe, is_ready, process_start, until
from podway.lab.plan import commands, pods_as_json
from podway.lab.prepare import CannotStartError, Options, Prepared, prepare, runnable
from podway.lab.screen import Screen, has_colour
from podway.lab.session import Session

CANNOT_START = 3
"""Exit code: a port is taken, the objects do not fit, … (the daemons' own code for it)."""


def up(options: Options) -> int:
    """Run the lab until it is told to stop; give the exit code."""
    started = process_start()
    screen = Screen(sys.stdout, colour=has_colour(sys.stdout), quiet=options.quiet)
    try:
        prepared = prepare(options)
        with contextlib.closing(Session(screen)) as session:
            return _Up(session, screen, prepared, started).run()
    except (CannotStartError, OSError) as error:
        sys.stderr.write(f"podway up: {error}\n")
        return CANNOT_START


class _Up:
    """One run. What the first answer needs is started first, the others when it has come."""

    def __init__(
        self, session: Session, screen: Screen, prepared: Prepared, started: float
    ) -> None:
        self._session = session
        self._screen = screen
        self._prepared = prepared
        self._started = started
        self._asking: Thread | None = None
        lab = prepared.lab
        made = commands(
            lab,
            prepared.ports,
            prepared.manifests,
            prepared.state,
            pods_as_json(lab.pods, prepared.snapshot),
        )
        self._first, self._others = ([runnable(one) for one in wave] for wave in made)

    def run(self) -> int:
        """Start, tell, wait; give the exit code. Raises OSError when a process can't be started."""
        prepared = self._prepared
        where = (prepared.lab.dns, prepared.ports.dns)
        running = state.Running(os.getpid(), where, prepared.ports, prepared.manifests)
        state.save(prepared.state, running)
        try:
            self._screen.hold()
            self._session.launch(self._first)
            self._ask()
            return self._session.run()
        finally:
            state.forget(prepared.state)

    def _ask(self) -> None:
        from podway.lab.summary import greeting, hosts

        prepared = self._prepared
        lab, ports = prepared.lab, prepared.ports
        found = hosts(prepared.snapshot, ports)
        first = next((host for host in found if host.ready and not host.secure), None)
        if first is not None:
            probe = Probe((lab.dns, ports.dns), first.name, first.path, ports.http, lab.stats)
            self._asking = until(
                probe.try_once,
                lambda at: self._session.post(lambda: self._answered(at, probe.answered_by)),
            )
        for line in greeting(prepared, self._screen.paint):
            self._screen.say(line)
        if first is None:
            self._screen.say("no Route without TLS has a ready pod: there is no answer to wait for")
            self._follow()

    def _answered(self, at: float, pod: str) -> None:
        """Say how long it took (0.0: it has not come) and what can be done now."""
        paint = self._screen.paint
        if at:
            text = paint("good", f"first answer after {(at - self._started) * 1000:.0f} ms")
            self._screen.say(f"{text}, from pod {pod or '(it gives no name)'}")
        else:
            self._screen.say(paint("bad", "no answer from the first Route yet; what was said:"))
        self._screen.release(everything=not at)
        self._screen.hold()
        self._follow()

    def _follow(self) -> None:
        """Start the others, and say when all are ready."""
        if self._asking is not None:
            self._asking.join()  # no thread may run while processes are forked
        self._session.launch(self._others)
        lab = self._prepared.lab
        until(
            lambda: all(is_ready(address) for address in (*lab.stats, *lab.admins)),
            lambda at: self._session.post(lambda: self._all_up(at)),
        )

    def _all_up(self, at: float) -> None:
        from podway.lab.summary import usage

        paint = self._screen.paint
        self._screen.release(everything=not at)
        if at:
            self._screen.say(f"all up after {(at - self._started) * 1000:.0f} ms")
        else:
            self._screen.say(paint("bad", "not everything is ready yet; see above"))
        for line in usage(self._prepared, paint):
            self._screen.say(line)
