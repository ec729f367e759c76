"""The pod behind bulk flows: `python source.py PORT` sends as many bytes as it is asked for.

A client sends the number in SIZE_BYTES digits; it gets that many bytes and the end.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys

SIZE_BYTES = 20
BLOCK = bytes(1 << 20)


class Source:
    """One epoll set; a connection's entry is what it is still owed, negative before it asked."""

    def __init__(self, port: int) -> None:
        self._listening = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listening.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(self._listening, select.EPOLLIN)
        self._open: dict[int, tuple[socket.socket, int]] = {}

    def serve(self) -> None:
        """Serve for ever."""
        while True:
            for fd, _ in self._epoll.poll():
                if fd == self._listening.fileno():
                    self._accept()
                else:
                    self._turn(fd)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):  # that was all
            while True:
                sock, _ = self._listening.accept()
                sock.setblocking(False)
                self._open[sock.fileno()] = (sock, -1)
                self._epoll.register(sock, select.EPOLLIN)

    def _turn(self, fd: int) -> None:
        sock, owed = self._open[fd]
        try:
            owed = self._asked(sock) if owed < 0 else owed - sock.send(BLOCK[:owed])
        except BlockingIOError:
            return
        except OSError:
            owed = 0
        self._open[fd] = (sock, owed)
        if owed == 0:
            del self._open[fd]
            sock.close()

    def _asked(self, sock: socket.socket) -> int:
        """Read how many bytes are wanted; 0 when the client only looked whether we are there."""
        asked = sock.recv(SIZE_BYTES)
        if asked:
            self._epoll.modify(sock, select.EPOLLOUT)
        return int(asked or 0)


if __name__ == "__main__":
    Source(int(sys.argv[1])).serve()
