"""The admin port: health, metrics and debug pages over HTTP/1.1, served by the loader.

h11 reads and writes; every wait has a deadline, every head a cap, connections have a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final, NamedTuple

import h11

from podway_proxy.log import Log

HEAD_BYTES: Final = 16_384
"""Longest request head (HAProxy's buffer)."""
HEAD_SECONDS: Final = 10.0
"""A request must be complete by then; also how long an answer may take to be read."""
IDLE_SECONDS: Final = 75.0
"""Between two requests of a connection; Prometheus scrapes every 60 s at most by default."""
MOST_CONNECTIONS: Final = 128
_READ: Final = 65_536


class Page(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Pages = Callable[[str], Page | None]
"""Gives the page of a path; None: there is none."""


class Admin:
    """Serves pages on the listening sockets that it is given."""

    def __init__(self, log: Log, pages: Pages) -> None:
        self._log = log
        self._pages = pages
        self._servers: dict[str, asyncio.Server] = {}
        self._open = 0

    async def listen(self, key: str, sock: socket.socket) -> None:
        """Serve a listening socket."""
        self._servers[key] = await asyncio.start_server(self._serve, sock=sock, limit=_READ)

    def unlisten(self, key: str) -> None:
        """Stop accepting on one; its connections finish."""
        server = self._servers.pop(key, None)
        if server is not None:
            server.close()

    def close(self) -> None:
        """Stop accepting."""
        for key in list(self._servers):
            self.unlisten(key)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= MOST_CONNECTIONS:
                await self._talk(reader, writer)
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            self._log.debug("admin connection ended", reason=str(error) or "timeout")
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(OSError):  # the peer may be gone already
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        seconds = HEAD_SECONDS
        while await self._exchange(wire, reader, writer, seconds):
            seconds = IDLE_SECONDS

    async def _exchange(
        self,
        wire: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        seconds: float,
    ) -> bool:
        """Answer one request; tell whether the connection goes on."""
        try:
            async with asyncio.timeout(seconds):
                request = await _request(wire, reader)
        except h11.RemoteProtocolError as error:
            page = Page(error.error_status_hint, f"{error}\n".encode())
            await _answer(wire, writer, page, head_only=False)
            return False
        if request is None:
            return False
        head_only = request.method == b"HEAD"
        await _answer(wire, writer, self._page(request), head_only=head_only)
        if wire.our_state is not h11.DONE or wire.their_state is not h11.DONE:
            return False
        wire.start_next_cycle()
        return True

    def _page(self, request: h11.Request) -> Page:
        path = request.target.decode("ascii", "replace").partition("?")[0]
        if request.method not in (b"GET", b"HEAD"):
            return Page(405, b"only GET and HEAD\n")
        try:
            page = self._pages(path)
        except Exception as error:
            self._log.unexpected("admin page failed", error, path=path)
            return Page(500, b"this page failed; the log says why\n")
        return page or Page(404, b"no such page; /debug/ lists some\n")


async def _request(wire: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """Read a whole request; its body is thrown away. None: the peer has closed."""
    request: h11.Request | None = None
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.EndOfMessage):
            return request
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            return None


async def _answer(
    wire: h11.Connection, writer: asyncio.StreamWriter, page: Page, *, head_only: bool
) -> None:
    headers = [
        ("content-type", page.content_type),
        ("content-length", str(len(page.body))),
        ("cache-control", "no-store"),
    ]
    events: list[h11.Event] = [h11.Response(status_code=page.status, headers=headers)]
    if not head_only:
        events.append(h11.Data(data=page.body))
    for event in (*events, h11.EndOfMessage()):
        writer.write(wire.send(event) or b"")
    async with asyncio.timeout(HEAD_SECONDS):
        await writer.drain()
