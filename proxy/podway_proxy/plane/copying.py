"""Flows and relays whose bytes must pass through this process: one of the ends is TLS."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from podway_proxy.plane.connection import Connection
from podway_proxy.plane.flow import Flow, Outcome
from podway_proxy.plane.plane import BUFFER
from podway_proxy.plane.relay import Relay

PLAIN: Final = (Connection, socket.socket)
"""Neither has a layer between its bytes and the kernel's."""


class CopyFlow(Flow):
    """Reads and writes, and never splices: what is in the kernel is not what is meant.

    It reads until the source says that nothing more is there: an edge of the descriptor tells
    nothing about what a TLS stream has kept, nor its FIN about the end of what was said.
    """

    __slots__ = ()

    def _copy(self) -> None:
        if self._tail and not self._flush():
            return
        used = 0
        while self.readable and self.outcome is None:
            got = self._read(BUFFER)
            if not got or not self._send(got):
                return
            used += got
            if used >= self._plane.limits.turn_bytes and self.outcome is None:
                self._later()
                return


class CopyRelay(Relay):
    """A relay of such flows, which says close_notify before it closes in order."""

    __slots__ = ()

    flow = CopyFlow

    def _on_end(self, flow: Flow) -> None:
        other = self.down if flow is self.up else self.up
        if flow.outcome is Outcome.EOF and other.outcome is not None:
            with contextlib.suppress(OSError):  # its peer is gone, so nobody misses the word
                flow.sink.shutdown(socket.SHUT_WR)
        super()._on_end(flow)


def flow_between(source: socket.socket, sink: socket.socket) -> type[Flow]:
    """Give the kind of flow for these two ends."""
    plain = type(source) in PLAIN and type(sink) in PLAIN
    return Flow if plain else CopyFlow


def relay_between(client: socket.socket, server: socket.socket) -> type[Relay]:
    """Give the kind of relay for these two ends."""
    return Relay if flow_between(client, server) is Flow else CopyRelay
