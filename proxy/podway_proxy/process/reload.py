"""One generation after the other: SIGHUP, and what becomes of the old ones."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from podway_proxy.limits import DEFAULT
from podway_proxy.process.generation import DRAINING, SERVING, STARTING, Generation
from podway_proxy.process.supervise import MOST_GENERATIONS

if TYPE_CHECKING:
    from podway_proxy.process.master import Master

START_SECONDS: Final = 60.0
"""A new generation that does not serve by then is given up; the old one goes on."""


class Reload:
    """Starts generations, at most four alive; SIGHUPs that come meanwhile make one more."""

    __slots__ = ("_again", "_master", "_waits")

    def __init__(self, master: Master) -> None:
        self._master = master
        self._again = False
        self._waits = False

    def asked(self) -> None:
        """Start a new generation, now or as soon as there is room for one."""
        master = self._master
        generations = master.crew.generations
        if any(one.state == STARTING for one in generations):
            self._again = True
        elif len(generations) >= MOST_GENERATIONS:
            self._again = True
            self._wait_for_room()
        else:
            self._again = False
            self._begin()

    def promote(self, new: Generation) -> None:
        """Let a generation that serves take over: the one before stops accepting and drains."""
        master = self._master
        old = master.crew.serving
        new.state = SERVING
        if old is not None:
            old.state = DRAINING
            self._retire(old)
        master.reconcile()
        if old is not None:
            master.log.info("reloaded", generation=new.number, draining=len(self._draining()))
        if self._again:
            self.asked()

    def abandon(self, generation: Generation, reason: str) -> None:
        """Give up a new generation; the old one goes on."""
        master = self._master
        master.log.error(
            "reload failed",
            generation=generation.number,
            reason=reason,
            advice="the old generation goes on; repair it and send SIGHUP again",
        )
        generation.state = DRAINING
        for child in list(generation.children()):
            os.kill(child.pid, signal.SIGKILL)
        self._forget_if_empty(generation)

    def ended(self, generation: Generation) -> None:
        """Note that a process of a draining generation has ended."""
        self._forget_if_empty(generation)

    def resume(self) -> None:
        """Take up deadlines again after an exec."""
        for generation in self._master.crew.generations:
            if generation.state == STARTING:
                self._watch(generation)

    def _begin(self) -> None:
        generation = self._master.crew.begin()
        self._master.log.info("reload", generation=generation.number)
        self._watch(generation)
        self._master.tell_status()

    def _watch(self, generation: Generation) -> None:
        self._master.timers.after(START_SECONDS, lambda: self._late(generation))

    def _late(self, generation: Generation) -> None:
        if generation.state == STARTING and not self._master.stopping.begun:
            self.abandon(generation, f"it did not serve within {START_SECONDS:g} s")

    def _retire(self, old: Generation) -> None:
        for worker in old.workers.values():
            body = {"op": "drain", "timeout": DEFAULT.tunnel_timeout, "why": "reload"}
            worker.channel.send(body)
        if old.loader is not None:
            old.loader.channel.send({"op": "quit"})
            self._master.kill_later(old.loader)

    def _draining(self) -> list[Generation]:
        return [one for one in self._master.crew.generations if one.state == DRAINING]

    def _wait_for_room(self) -> None:
        """Give the oldest generation the drain time; then it must go."""
        if self._waits:
            return
        self._waits = True
        seconds = self._master.crew.options["drain_timeout"]
        self._master.log.warn(
            "reload waits",
            reason=f"{MOST_GENERATIONS} generations still have connections",
            at_most=f"{seconds:g}s",
        )
        self._master.timers.after(seconds, self._make_room)

    def _make_room(self) -> None:
        self._waits = False
        draining = self._draining()
        if not self._again or len(self._master.crew.generations) < MOST_GENERATIONS:
            return
        oldest = draining[0]
        for child in oldest.children():
            child.channel.send({"op": "quit"})
            self._master.kill_later(child)

    def _forget_if_empty(self, generation: Generation) -> None:
        master = self._master
        if any(generation.children()) or generation not in master.crew.generations:
            return
        master.crew.generations.remove(generation)
        master.reconcile()
        master.tell_status()
        if self._again:
            self.asked()
