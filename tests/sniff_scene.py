"""A TLS front end with one route, clients good and bad, and what must not reach its endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import hellos
from plane_rig import Proxy, connect, proxy, read_all, server, until

from podway_proxy.limits import Limits
from podway_proxy.proxy_protocol import encode_v2
from podway_proxy.sniff import tls
from podway_proxy.values import Arrival, Decision, Endpoint, Forward, Refuse
from podway_proxy.verdict import Reject

WEB = "web.example.test"
HELLO = hellos.hello(WEB.encode(), b"h2")
CLEAN = HELLO + b"and what follows it"
SHORT = Limits(hello_timeout=0.5, proxy_timeout=0.5)
PATIENT = Limits(hello_timeout=3_600, proxy_timeout=3_600)
"""Under these a refusal that comes at all comes from the bytes, not from a deadline."""
NO_ROUTE = tls.alert(tls.UNRECOGNIZED_NAME)
FROM = encode_v2(("192.0.2.7", 40_000), ("198.51.100.1", 443))


def hello_answer(reject: Reject) -> Refuse:
    return Refuse("hello", reject.reason, tls.answer(reject))


def answer_to(data: bytes) -> bytes:
    """What the sniffer has to say to that."""
    verdict = tls.sniff_hello(data)
    return tls.answer(verdict) if isinstance(verdict, Reject) else b""


PAGE = answer_to(b"GET / HTTP/1.1")


class Scene:
    """A TLS front end with one route, its endpoint, and all that the endpoint was ever sent."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.arrivals: list[Arrival] = []
        self.proxy: Proxy
        self.served = 0
        self.first = b""  # what a clean client sends ahead of its hello
        self.endpoint = Endpoint("", 0)

    async def serve(self, sock: socket.socket) -> None:
        """Answer a whole request with its own bytes."""
        data = await read_all(sock)
        self.received.append(data)
        await asyncio.get_running_loop().sock_sendall(sock, data)

    def decide(self, arrival: Arrival, hello: tls.Hello | None, _preamble: bool) -> Decision:
        if hello is None or hello.sni != WEB:
            return Refuse("no-route", "no route has that server name", NO_ROUTE)
        self.arrivals.append(arrival)
        return Forward([self.endpoint])

    async def say(self, *parts: bytes, end: bool = False) -> bytes:
        """Send parts, one segment each, and give all that comes back until the other side ends."""
        with await connect(self.proxy.address) as sock:
            loop = asyncio.get_running_loop()
            with contextlib.suppress(ConnectionError):  # refused before all was sent
                for part in parts:
                    await loop.sock_sendall(sock, part)
                    await asyncio.sleep(0)
                if end:
                    sock.shutdown(socket.SHUT_WR)
            try:
                return await asyncio.wait_for(read_all(sock), 20)
            except ConnectionResetError:
                return b""

    async def check_clean_client(self) -> None:
        """Be a client that does nothing wrong."""
        assert await self.say(self.first, CLEAN, end=True) == CLEAN
        self.served += 1

    async def check_refused(self, *parts: bytes, answer: bytes = b"", step: str = "hello") -> None:
        """Be a client that is refused, with a clean one beside it and one after it."""
        before = len(self.proxy.closed)
        got, _ = await asyncio.gather(self.say(*parts), self.check_clean_client())
        assert got == answer
        await until(lambda: len(self.proxy.closed) == before + 2, "both to be over")
        refused = [closed.refused for closed in self.proxy.closed[before:] if closed.refused]
        assert [each.step for each in refused] == [step]
        await self.check_clean_client()


@contextlib.asynccontextmanager
async def scene(**options: Any) -> AsyncIterator[Scene]:
    it = Scene()
    options.setdefault("limits", PATIENT)
    options.setdefault("sniff", tls.sniff_hello)
    async with (
        server(it.serve) as address,
        proxy(decide=it.decide, sniff_answer=hello_answer, **options) as it.proxy,
    ):
        it.endpoint = Endpoint(*address)
        descriptors = len(os.listdir("/proc/self/fd"))
        yield it
        await until(lambda: it.proxy.front.active == 0, "every connection to end")
        await until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors, "descriptors to close")
        assert it.received == [CLEAN] * it.served, "the endpoint was sent what it should not get"
