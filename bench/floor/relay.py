"""The floor of TCP: `python -m bench.floor.relay PORT POD`."""

from __future__ import annotations

import _socket
import contextlib
import select
import socket
import sys

from bench.floor.edges import READ, close, connect, serve, watch

_FIN = select.EPOLLRDHUP
_BUFFER = bytearray(65_536)
_VIEW = memoryview(_BUFFER)


class Relay:
    """Two sockets, and which of them has ended."""

    __slots__ = ("client", "client_over", "server", "server_over")

    def __init__(self, client: _socket.socket, server: _socket.socket) -> None:
        self.client = client
        self.server = server
        self.client_over = self.server_over = False

    def on_client(self, mask: int) -> None:
        """Copy towards the server."""
        if mask & READ and not self.client_over and self._copy(self.client, self.server, mask):
            self.client_over = True
            self._ended(self.server)

    def on_server(self, mask: int) -> None:
        """Copy towards the client."""
        if mask & READ and not self.server_over and self._copy(self.server, self.client, mask):
            self.server_over = True
            self._ended(self.client)

    def _copy(self, source: _socket.socket, sink: _socket.socket, mask: int) -> bool:
        """Move what is there; True at the end."""
        try:
            got = source.recv_into(_BUFFER)
            if got:
                sink.send(_VIEW[:got])
        except BlockingIOError:
            return False
        except OSError:
            return True
        return not got or bool(mask & _FIN)

    def _ended(self, sink: _socket.socket) -> None:
        if self.client_over and self.server_over:
            close(self.client)
            close(self.server)
        else:
            with contextlib.suppress(OSError):  # it has gone, too: its own edge comes
                sink.shutdown(socket.SHUT_WR)


def main(port: int, pod: int) -> None:
    """Relay every connection."""

    def take(client: _socket.socket) -> None:
        try:
            got = client.recv_into(_BUFFER)
        except BlockingIOError:
            got = 0
        server = connect(("127.0.0.1", pod))
        if got:
            server.send(_VIEW[:got])
        relay = Relay(client, server)
        watch(client, relay.on_client)
        watch(server, relay.on_server)

    serve(port, take)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
