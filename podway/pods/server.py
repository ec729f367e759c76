"""Listens where the Pods say and gives each connection a thread. One process for all pods.

Threads, not asyncio: a pod is there to be understood, its clients are a few routers, and asyncio
alone would take longer to import than everything here (91 ms against 30, cold).
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial

from podway.pods.answer import PodSpec
from podway.pods.http import IDLE_SECONDS, UnreadableError, serve

Speak = Callable[[socket.socket, PodSpec], None]
"""Serves one connection of one pod and closes it."""

MOST_CONNECTIONS = 512
"""Connections served at once; more wait in the kernel's queue."""
BACKLOG = 1024
_STACK_BYTES = 262_144


def listen(host: str, port: int) -> socket.socket:
    """Give a listening TCP socket on `host:port`. Raises OSError when it can't be had."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


class PodServer:
    """All the pods' listeners, with one thread that accepts and one per connection."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def add(self, sock: socket.socket, pod: PodSpec, speak: Speak) -> None:
        """Serve `sock` from now on; may be called from any thread (epoll sets allow it)."""
        self._selector.register(sock, selectors.EVENT_READ, partial(_call, speak, pod))

    def run(self) -> None:
        """Accept for ever."""
        threading.stack_size(_STACK_BYTES)
        while True:
            for key, _ in self._selector.select():
                assert isinstance(key.fileobj, socket.socket)  # noqa: S101 - add() put it there
                self._accept(key.fileobj, key.data)

    def _accept(self, listener: socket.socket, speak: Callable[[socket.socket], None]) -> None:
        self._free.acquire()
        try:
            sock, _ = listener.accept()
        except OSError:  # gone again before it was accepted, or out of descriptors
            self._free.release()
            return
        threading.Thread(target=self._speak, args=(sock, speak), daemon=True).start()

    def _speak(self, sock: socket.socket, speak: Callable[[socket.socket], None]) -> None:
        # A peer that resets, falls silent or sends garbage ends its own connection, no other.
        with contextlib.suppress(OSError, UnreadableError), sock:
            sock.settimeout(IDLE_SECONDS)
            speak(sock)
        self._free.release()


def _call(speak: Speak, pod: PodSpec, sock: socket.socket) -> None:
    speak(sock, pod)


def speak_http(sock: socket.socket, pod: PodSpec) -> None:
    """Serve plain HTTP."""
    serve(sock, pod)


def listeners(pods: Sequence[PodSpec]) -> list[tuple[PodSpec, bool, socket.socket]]:
    """Open every (pod, speaks TLS, listener). Raises OSError that names the pod and its address."""
    opened: list[tuple[PodSpec, bool, socket.socket]] = []
    for pod in pods:
        for port, tls in pod.ports:
            try:
                opened.append((pod, tls, listen(pod.host, port)))
            except OSError as error:
                raise OSError(
                    error.errno,
                    f"pod {pod.namespace}/{pod.name} can't listen on {pod.host}:{port}: "
                    f"{error.strerror}",
                ) from error
    return opened
