"""A small ASGI application, run by uvicorn as a pod: echoes, streams, events, refusals."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

JSON = b"application/json"
events: asyncio.Queue[str] = asyncio.Queue()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve by path; uvicorn asks for nothing else."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    if scope["type"] == "websocket":
        await _converse(receive, send)
        return
    serve = PATHS.get(scope["path"], _missing)
    await serve(scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    for word in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{word}.complete"})


async def _converse(receive: Receive, send: Send) -> None:
    """Echo a WebSocket's messages."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        said = {name: message[name] for name in ("text", "bytes") if message.get(name) is not None}
        await send({"type": "websocket.send", **said})


async def _begin(send: Send, status: int, kind: bytes, *more: tuple[bytes, bytes]) -> None:
    fields = [(b"content-type", kind), *more]
    await send({"type": "http.response.start", "status": status, "headers": fields})


async def _end(send: Send, body: bytes = b"") -> None:
    await send({"type": "http.response.body", "body": body})


async def _pieces(receive: Receive) -> Any:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client is gone")
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _digest(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body; tell its length and hash. `Content-Length` is h11's affair."""
    made, length = hashlib.sha256(), 0
    async for piece in _pieces(receive):
        made.update(piece)
        length += len(piece)
    fields = {name.decode(): value.decode() for name, value in scope["headers"]}
    told = {"length": length, "sha256": made.hexdigest(), "fields": fields}
    await _begin(send, 200, JSON)
    await _end(send, json.dumps(told).encode())


async def _mirror(_: Scope, receive: Receive, send: Send) -> None:
    """Send each piece back as soon as it has come."""
    await _begin(send, 200, b"application/octet-stream")
    async for piece in _pieces(receive):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await _end(send)


async def _refuse(_: Scope, __: Receive, send: Send) -> None:
    """Answer without a look at the body: a client that waits to be asked for it never sends it."""
    await _begin(send, 413, b"text/plain", (b"content-length", b"9"))
    await _end(send, b"too much\n")


async def _stream(_: Scope, __: Receive, send: Send) -> None:
    """Server-sent events, each when it was posted to /event; `end` ends."""
    await _begin(send, 200, b"text/event-stream", (b"cache-control", b"no-cache"))
    while (event := await events.get()) != "end":
        body = f"data: {event}\n\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await _end(send)


async def _event(_: Scope, receive: Receive, send: Send) -> None:
    body = b"".join([piece async for piece in _pieces(receive)])
    await events.put(body.decode())
    await _begin(send, 204, b"text/plain")
    await _end(send)


async def _tagged(scope: Scope, _: Receive, send: Send) -> None:
    """Know of conditional requests."""
    fresh = (b"if-none-match", b'"v1"') in scope["headers"]
    await _begin(send, 304 if fresh else 200, b"text/html", (b"etag", b'"v1"'))
    await _end(send, b"" if fresh or scope["method"] == "HEAD" else b"<p>version one</p>" * 40)


async def _broken(_: Scope, __: Receive, send: Send) -> None:
    """Promise more than is sent, and fail."""
    await _begin(send, 200, b"text/html")
    await send({"type": "http.response.body", "body": b"begun" * 1000, "more_body": True})
    raise RuntimeError("the application fails in the middle of its answer")


async def _missing(_: Scope, __: Receive, send: Send) -> None:
    await _begin(send, 404, b"text/plain", (b"content-length", b"0"))
    await _end(send)


PATHS = {
    "/digest": _digest,
    "/mirror": _mirror,
    "/refuse": _refuse,
    "/stream": _stream,
    "/event": _event,
    "/tagged": _tagged,
    "/broken": _broken,
}
