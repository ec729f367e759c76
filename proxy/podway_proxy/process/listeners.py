"""The master's listening sockets: bound when a loader asks for them, handed to its processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from typing import Any

from podway_proxy.process.generation import LOADER, Child, Generation
from podway_proxy.process.sockets import BindError, bind, set_defer
from podway_proxy.process.spec import ListenerSpec
from podway_proxy.process.supervise import handing, plan


class Listeners:
    """What is bound, by key; `missing` says why the others are not."""

    __slots__ = ("bound", "missing", "workers")

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.bound: dict[str, tuple[ListenerSpec, list[socket.socket]]] = {}
        self.missing: dict[str, str] = {}

    def reconcile(self, wanted: Iterable[Iterable[ListenerSpec]]) -> list[str]:
        """Close and bind until what is bound is what is wanted.

        Gives the messages of those that could not be bound and had not been reported so.
        Our copy of a socket is closed before its workers are told: they accept what is queued,
        and their own close is then the last.
        """
        todo = plan(wanted, {key: spec for key, (spec, _) in self.bound.items()})
        for key in todo.close:
            self._close(key)
        before, self.missing = self.missing, {}
        for spec in todo.bind:
            self._bind(spec)
        return [why for key, why in self.missing.items() if before.get(key) != why]

    def hand_over(self, generation: Generation, child: Child, admin_too: bool) -> None:
        """Give a process the sockets that its generation wants, take back the others."""
        if child.role == LOADER and not admin_too:
            return
        todo = handing(generation.wanted, self.bound, child.given, child.role == LOADER)
        for key in todo.take:
            del child.given[key]
            child.channel.send({"op": "unlisten", "key": key})
        for spec in todo.give:
            child.given[spec.key] = spec
            sockets = self.bound[spec.key][1]
            sock = sockets[child.index % len(sockets)]
            if not spec.admin and spec.transport == "tcp":
                set_defer(sock, spec)
            body = {"op": "listen", "spec": spec._asdict(), "version": generation.version}
            child.channel.send(body, [sock.fileno()])

    def close_serving(self) -> None:
        """Close our copies of all but the admin sockets: the daemon is about to end."""
        for key in [key for key, (spec, _) in self.bound.items() if not spec.admin]:
            self._close(key)

    def names(self) -> list[str]:
        """Give what is bound, as `tcp 127.0.0.1:8080`, with the port that port 0 became."""
        return [
            f"{spec.transport} {sockets[0].getsockname()[0]}:{sockets[0].getsockname()[1]}"
            for spec, sockets in self.bound.values()
        ]

    def freeze(self) -> list[dict[str, Any]]:
        """Give it all as JSON; the sockets are made to survive exec."""
        frozen = []
        for spec, sockets in self.bound.values():
            for sock in sockets:
                os.set_inheritable(sock.fileno(), True)
            frozen.append({"spec": spec._asdict(), "fds": [sock.fileno() for sock in sockets]})
        return frozen

    def thaw(self, frozen: list[dict[str, Any]]) -> None:
        """Take over the sockets of the program before exec."""
        for one in frozen:
            spec = ListenerSpec(**one["spec"])
            for fd in one["fds"]:
                os.set_inheritable(fd, False)
            self.bound[spec.key] = (spec, [socket.socket(fileno=fd) for fd in one["fds"]])

    def _bind(self, spec: ListenerSpec) -> None:
        try:
            sockets = bind(spec, 1 if spec.admin else self.workers)
        except BindError as error:
            self.missing[spec.key] = str(error)
        else:
            self.bound[spec.key] = (spec, sockets)

    def _close(self, key: str) -> None:
        for sock in self.bound.pop(key)[1]:
            sock.close()
