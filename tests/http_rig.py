"""An HttpFront in a thread of its own, and raw pods behind it, for live tests.

Everything listens on 127.0.0.1 with a port that the system chooses. A pod is a function that is
given each connection; what it reads is recorded byte by byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvloop

from podway_proxy.balance.balancer import InOrder
from podway_proxy.http.access import AccessRecord
from podway_proxy.http.answer import Answer
from podway_proxy.http.extras import Extras
from podway_proxy.http.front import HttpFront
from podway_proxy.http.request import Request
from podway_proxy.http.target import Target
from podway_proxy.limits import DEFAULT, Limits
from podway_proxy.plane.listener import Listener
from podway_proxy.plane.plane import Plane
from podway_proxy.values import Arrival, Endpoint

PATIENCE = 10.0
"""Seconds until a test gives up waiting."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def until(condition: Callable[[], Any], what: str = "the condition") -> None:
    """Poll until `condition()` is true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} did not come true"
        time.sleep(0.005)


class PodConnection:
    """One accepted connection, with buffered reads."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.seen = b""
        self.buffer = b""
        sock.settimeout(PATIENCE)

    def more(self) -> bool:
        with contextlib.suppress(OSError):
            data = self.sock.recv(65536)
            self.seen += data[: max(0, 1_000_000 - len(self.seen))]
            self.buffer += data
            return bool(data)
        return False

    def head(self) -> bytes:
        """The next request head; empty at the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                return b""
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            if not self.more():
                break
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()


Handler = Callable[[PodConnection], None]


def answering(answer: bytes = OK) -> Handler:
    """A pod that gives every request without a body the same answer."""

    def handle(connection: PodConnection) -> None:
        while connection.head():
            connection.send(answer)

    return handle


class Pod:
    """A raw server: a thread per connection, each running `handler`."""

    def __init__(self, handler: Handler, name: str = "") -> None:
        self.handler = handler
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        host, port = self.listener.getsockname()
        self.endpoint = Endpoint(host, port, name)
        self.connections: list[PodConnection] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def seen(self) -> bytes:
        """All bytes received, connection after connection."""
        return b"".join(connection.seen for connection in self.connections)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                connection = PodConnection(sock)
                self.connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: PodConnection) -> None:
        with contextlib.suppress(OSError), connection.sock:
            self.handler(connection)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.sock.close()


class Rig:
    """The front under test. `routes`: host name to pods; others get a 503 page."""

    def __init__(
        self, routes: dict[str, list[Endpoint]], limits: Limits = DEFAULT, **target: Any
    ) -> None:
        self.routes = routes
        self.records: list[AccessRecord] = []
        self.errors: list[dict[str, Any]] = []
        self.opened = self.closed = 0
        self.lanes = False
        """Usual requests may take the fast lane; it writes no records."""
        self.dress: Callable[[list[Endpoint]], Extras] | None = None
        """Makes what is asked for beyond carrying, from the pods' endpoints."""
        self._target = target
        self._limits = limits
        self._options: dict[str, Any] = {}
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address: tuple[str, int] = self.sock.getsockname()
        self.port = self.address[1]

    def with_options(self, **options: Any) -> Rig:
        """Give further arguments to HttpFront."""
        self._options.update(options)
        return self

    def route(self, request: Request, _: Arrival) -> Target | Answer:
        pods = self.routes.get(request.host)
        if pods is None:
            return Answer(503, "no-route", f"no route has the host {request.host!r}")
        dressed = {} if self.dress is None else {"extras": self.dress(pods)}
        return Target(
            pods,
            pick=InOrder(pods) if self.lanes else None,
            label=f"route {request.host}",
            on_open=self._opened,
            on_close=self._closed,
            **dressed,
            **self._target,
        )

    def _opened(self, _: Endpoint) -> None:
        self.opened += 1

    def _closed(self, _: Endpoint) -> None:
        self.closed += 1

    def __enter__(self) -> Rig:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(PATIENCE)
        return self

    def __exit__(self, *exc: object) -> None:
        self.call(self.listener.drain)
        self.call(self.front.stop)
        # Nothing may be left in the epoll set: farewells end within seconds by themselves.
        until(lambda: self.plane.watched == 0, "an empty epoll set")
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        assert not self.errors or exc[0] is not None, self.errors

    def _run(self, started: threading.Event) -> None:
        self.loop = uvloop.new_event_loop()
        self.loop.set_exception_handler(lambda _, context: self.errors.append(context))
        self.plane = Plane(self._limits)
        self.plane.attach(self.loop)
        self.front = HttpFront(
            self.plane,
            route=self.route,
            limits=self._limits,
            access=None if self.lanes else self.records.append,
            settled=lambda *_: self.lanes,
            **self._options,
        )
        self.listener = Listener(self.plane, self.sock, self.front.accept)
        self.loop.call_soon(started.set)
        self.loop.run_forever()
        self.plane.detach()
        self.loop.close()

    def call(self, function: Callable[[], Any]) -> Any:
        """Run a function in the front's thread."""

        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(PATIENCE)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, PATIENCE)

    def ask(self, data: bytes) -> bytes:
        """Send bytes and read until the front closes; a reset ends what is returned."""
        with self.connect() as sock:
            with contextlib.suppress(OSError):
                sock.sendall(data)
            return read_all(sock)


def read_all(sock: socket.socket) -> bytes:
    """Read to the end."""
    return b"".join(pieces(sock))


def pieces(sock: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(ConnectionResetError):
        while data := sock.recv(1 << 20):
            yield data


def read_answer(sock: socket.socket, buffer: bytes = b"") -> tuple[bytes, bytes]:
    """Read one answer with Content-Length (or none): (head, body)."""
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(1)
        assert data, f"the connection ended after {buffer!r}"
        buffer += data
    head = buffer
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    body = b""
    while len(body) < length:
        data = sock.recv(length - len(body))
        assert data, "the connection ended in a body"
        body += data
    return head, body


@contextlib.contextmanager
def serving(
    *handlers: Handler,
    limits: Limits = DEFAULT,
    options: dict[str, Any] | None = None,
    lanes: bool = False,
    dress: Callable[[list[Endpoint]], Extras] | None = None,
    **target: Any,
) -> Iterator[tuple[Rig, list[Pod]]]:
    """A rig whose host `a` has a pod for each handler."""
    pods = [Pod(handler) for handler in handlers]
    rig = Rig({"a": [pod.endpoint for pod in pods]}, limits, **target)
    rig.lanes, rig.dress = lanes, dress
    try:
        with rig.with_options(**(options or {})):
            yield rig, pods
    finally:
        for pod in pods:
            pod.close()
