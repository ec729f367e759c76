"""The test daemon's worker: each line is a key; it answers `<pid> <the entry's JSON>`."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Collection, Mapping

from podway_proxy.plane.listener import Listener
from podway_proxy.process.daemon import WorkerLink
from podway_proxy.process.spec import Json, ListenerSpec
from podway_proxy.values import Address

COUNTERS = ("connections_total", "lines_total:kind=known", "lines_total:kind=other", "open")


class Connection:
    def __init__(self, app: EchoWorker, sock: socket.socket) -> None:
        self._app = app
        self._sock = sock
        self._line = b""
        app.worker.plane.watch(sock.fileno(), self.on_event)

    def on_event(self, mask: int) -> None:
        while True:
            try:
                data = self._sock.recv(65_536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._app.closed(self)
                self._app.worker.plane.close(self._sock)
                return
            *lines, self._line = (self._line + data).split(b"\n")
            for line in lines:
                self._sock.send(self._app.answer(line.decode()))


class EchoWorker:
    def __init__(self, worker: WorkerLink) -> None:
        self.worker = worker
        self._entries: Mapping[str, Json] = {}
        self._listeners: dict[str, Listener] = {}
        self._open: set[Connection] = set()

    def listen(self, spec: ListenerSpec, sock: socket.socket) -> None:
        self._listeners[spec.key] = Listener(self.worker.plane, sock, self._accepted)

    def unlisten(self, key: str) -> None:
        self._listeners.pop(key).drain()

    def apply(self, entries: Mapping[str, Json], changed: Collection[str]) -> None:
        self._entries = entries

    def drain(self) -> None:
        for key in list(self._listeners):
            self.unlisten(key)

    def active(self) -> int:
        return len(self._open)

    def answer(self, key: str) -> bytes:
        if key == "raise":
            raise RuntimeError("asked for")
        self.worker.counters[1 if key in self._entries else 2] += 1
        return f"{os.getpid()} {json.dumps(self._entries.get(key))}\n".encode()

    def closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        self.worker.counters[3] -= 1

    def _accepted(self, sock: socket.socket, peer: Address) -> None:
        counters = self.worker.counters
        counters[0] += 1
        counters[3] += 1
        self._open.add(Connection(self, sock))


def build(worker: WorkerLink) -> EchoWorker:
    return EchoWorker(worker)
