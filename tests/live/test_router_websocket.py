"""WebSockets through the real router: the `websockets` library as client and as pod.

It is strict: a frame that is cut, mixed up or repeated fails its protocol check, and permessage-
deflate (which it negotiates by itself) fails on a single wrong byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import signal
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from edge_site import Site
from ingress_objects import endpoints, route, service
from ingress_rig import PATIENCE, Daemon, address, until
from tls_rig import Ca
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.http11 import Request, Response

pytestmark = pytest.mark.live
MOST = 8_000_000
SIZES = (0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 262_144, 1_048_577, 5_000_000)
"""Around every change of a frame's form (RFC 6455 section 5.2), and of ours: buffers, splice."""
HOSTS = {kind: f"{kind}.apps.example.test" for kind in ("plain", "edge", "reencrypt", "quick")}
KINDS = ("plain", "edge", "reencrypt")


async def talk(connection: ServerConnection) -> None:
    """Echo; some texts are orders."""
    assert connection.request is not None
    if connection.request.path == "/first":
        await connection.send("the server speaks first")
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            if isinstance(message, str) and message.startswith("close "):
                _, code, reason = message.split(" ", 2)
                await connection.close(int(code), reason)
            elif message == "ping me":
                waiter = await connection.ping(b"from the pod")
                await asyncio.wait_for(waiter, PATIENCE)
                await connection.send("pinged")
            elif message == "die":
                connection.transport.abort()
            else:
                await connection.send(message)


def admit(connection: ServerConnection, request: Request) -> Response | None:
    if request.path == "/forbidden":
        return connection.respond(403, "not for you\n")
    return None


class Scene:
    """A router with Routes of each kind to WebSocket pods."""

    def __init__(self, site: Site, ca: Ca) -> None:
        self.site = site
        self.ca = ca
        self.router: Daemon
        self.changes = 0

    @asynccontextmanager
    async def serving(self, **spec: Any) -> AsyncIterator[Scene]:
        where = address()
        options: Any = {"process_request": admit, "max_size": MOST, "ping_interval": None}
        async with (
            serve(talk, where, 0, **options) as plain,
            serve(talk, where, 0, ssl=self.ca.server("pod.test"), **options) as secure,
        ):
            self.site.spec = spec
            self.site.objects = self._objects(_address(plain), _address(secure))
            self.change()
            router = self.site.router(workers=2)
            try:
                self.router = await asyncio.to_thread(router.__enter__)
                yield self
            finally:
                await asyncio.to_thread(router.__exit__, None, None, None)

    def _objects(self, plain: tuple[str, int], secure: tuple[str, int]) -> list[Any]:
        quick = {"haproxy.router.openshift.io/timeout-tunnel": "1500ms"}
        again = {"termination": "reencrypt", "destinationCACertificate": self.ca.pem}
        return [
            route("plain", HOSTS["plain"], "ws"),
            route("quick", HOSTS["quick"], "ws", annotations=quick),
            route("edge", HOSTS["edge"], "ws", tls={"termination": "edge"}),
            route("reencrypt", HOSTS["reencrypt"], "wss", tls=again),
            service("ws"),
            *endpoints("ws", plain),
            service("wss"),
            *endpoints("wss", secure),
        ]

    def change(self) -> None:
        """Write the objects anew, with something that is different each time."""
        self.changes += 1
        host = f"n{self.changes}.apps.example.test"
        self.site.put(route("changing", host, "ws"))

    def open(self, kind: str, path: str = "/", **options: Any) -> connect:
        secure = kind in {"edge", "reencrypt"}
        if secure:
            options["ssl"] = ssl.create_default_context(cafile=self.site.ca)
        uri = f"{'wss' if secure else 'ws'}://{HOSTS[kind]}{path}"
        port = self.site.https if secure else self.site.http
        options = {"max_size": MOST, "ping_interval": None, "proxy": None, **options}
        return connect(uri, host=self.site.host, port=port, open_timeout=PATIENCE, **options)


def _address(server: Server) -> tuple[str, int]:
    found: tuple[str, int] = next(iter(server.sockets)).getsockname()[:2]
    return found


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(Site(tmp_path), Ca())


async def echoed(connection: ClientConnection, message: str | bytes) -> bool:
    """Send a message and get it back, compared by hash."""
    await connection.send(message)
    back = await asyncio.wait_for(connection.recv(), PATIENCE)
    return type(back) is type(message) and _hash(back) == _hash(message)


def _hash(message: str | bytes) -> bytes:
    return hashlib.sha256(message.encode() if isinstance(message, str) else message).digest()


@pytest.mark.parametrize("packed", ["deflate", None])
async def test_messages_of_every_size(scene: Scene, packed: str | None) -> None:
    async with scene.serving(httpCompression={"mimeTypes": ["text/*"]}):
        for kind in KINDS:
            async with scene.open(kind, compression=packed) as connection:
                for size in SIZES:
                    assert await echoed(connection, os.urandom(size)), (kind, size)
                    assert await echoed(connection, "é" * (size // 2)), (kind, size)
                waiter = await connection.ping(b"from the client")
                await asyncio.wait_for(waiter, PATIENCE)
                assert await _ask(connection, "ping me") == "pinged"


async def _ask(connection: ClientConnection, order: str) -> str | bytes:
    await connection.send(order)
    return await asyncio.wait_for(connection.recv(), PATIENCE)


async def test_many_at_once_in_random_fragments(scene: Scene) -> None:
    chance = random.Random(4)

    async def converse(kind: str) -> None:
        async with scene.open(kind) as connection:
            for _ in range(12):
                parts = [os.urandom(chance.choice((0, 1, 70, 9_000))) for _ in range(5)]
                sending = asyncio.create_task(connection.send(parts))
                back = await asyncio.wait_for(connection.recv(), PATIENCE)
                await sending
                assert back == b"".join(parts)

    async with scene.serving(), asyncio.timeout(60):
        await asyncio.gather(*(converse(KINDS[number % 3]) for number in range(45)))


async def test_who_closes_says_why(scene: Scene) -> None:
    async with scene.serving():
        for kind in KINDS:
            for code, reason in ((1000, ""), (1001, "going"), (3000, "x" * 123), (4999, "é")):
                async with scene.open(kind) as connection:
                    await connection.send(f"close {code} {reason}")
                    with pytest.raises(ConnectionClosed):
                        await asyncio.wait_for(connection.recv(), PATIENCE)
                    assert (connection.close_code, connection.close_reason) == (code, reason)
                async with scene.open(kind) as connection:
                    await connection.close(code, reason)
                    assert (connection.close_code, connection.close_reason) == (code, reason)


async def test_the_handshake_is_the_pods(scene: Scene) -> None:
    async with scene.serving():
        for kind in KINDS:
            with pytest.raises(InvalidStatus) as refused:
                await scene.open(kind, "/forbidden")
            assert refused.value.response.status_code == 403
            assert refused.value.response.body == b"not for you\n"
            async with scene.open(kind, "/first") as connection:
                first = await asyncio.wait_for(connection.recv(), PATIENCE)
                assert first == "the server speaks first"


async def test_a_pod_that_dies_is_no_clean_end(scene: Scene) -> None:
    async with scene.serving():
        for kind in KINDS:
            async with scene.open(kind) as connection:
                await connection.send("die")
                with pytest.raises(ConnectionClosedError):
                    await asyncio.wait_for(connection.recv(), PATIENCE)
                assert connection.close_code == 1006


async def test_a_tunnel_that_is_still_ends_and_one_that_is_not_goes_on(scene: Scene) -> None:
    async with scene.serving():
        began = time.monotonic()
        async with scene.open("quick") as still, scene.open("quick") as lively:
            closed = asyncio.create_task(still.wait_closed())
            while time.monotonic() < began + 4.0 or not closed.done():
                assert await echoed(lively, b"still here")
                await asyncio.sleep(0.2)
                assert time.monotonic() < began + PATIENCE
            assert still.close_code == 1006
            assert await echoed(lively, b"after all")


async def test_tunnels_live_through_reloads_and_new_generations(scene: Scene) -> None:
    async with scene.serving(), contextlib.AsyncExitStack() as stack:
        tunnels = [await stack.enter_async_context(scene.open(kind)) for kind in KINDS * 2]
        old = scene.router.pids("worker")
        for number in range(30):
            scene.change()
            if number == 15:
                scene.router.process.send_signal(signal.SIGHUP)
            for tunnel in tunnels:
                assert await echoed(tunnel, os.urandom(3_000 * number))
        workers = scene.router.pids
        await asyncio.to_thread(until, "new workers", lambda: set(workers("worker")) - set(old))
        left = time.monotonic() + 2.5  # idle connections of the old generation are gone by then
        while time.monotonic() < left:
            for tunnel in tunnels:
                assert await echoed(tunnel, os.urandom(200_000))
            await asyncio.sleep(0.1)
        async with scene.open("edge") as fresh:
            assert await echoed(fresh, b"the new generation serves")


async def test_a_drain_gives_tunnels_their_time(scene: Scene) -> None:
    """The rig's daemons drain for 3 s at most; then tunnels are cut, and all is over."""
    async with scene.serving(), contextlib.AsyncExitStack() as stack:
        tunnels = [await stack.enter_async_context(scene.open(kind)) for kind in KINDS]
        began = time.monotonic()
        scene.router.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(until, "no more is taken", lambda: not _taken(scene))
        for tunnel in tunnels:
            assert await echoed(tunnel, b"while draining")
        code = await asyncio.to_thread(scene.router.process.wait, PATIENCE)
        assert time.monotonic() - began > 2.5  # idle connections are closed sooner
        assert code == 0
        for tunnel in tunnels:
            await asyncio.wait_for(tunnel.wait_closed(), PATIENCE)
            assert tunnel.close_code == 1006


def _taken(scene: Scene) -> bool:
    import socket

    try:
        with socket.create_connection((scene.site.host, scene.site.http), timeout=5):
            return True
    except OSError:
        return False
