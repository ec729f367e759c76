from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from podway_proxy.log import Log, Style
from podway_proxy.process import admin
from podway_proxy.process.admin import Admin, Page
from podway_proxy.process.pages import Pages


class Daemon:
    """What the pages tell about."""

    why = ""
    notes = ""


@pytest.fixture
async def served() -> AsyncIterator[tuple[Daemon, tuple[str, int]]]:
    daemon = Daemon()

    def broken() -> object:
        raise RuntimeError("the test")

    pages = Pages(
        lambda: daemon.why,
        lambda: daemon.notes,
        lambda: b"metric 1\n",
        {"entries": lambda: {"a": 1}, "broken": broken},
    )
    server = Admin(Log("test", style=Style("json", level="error"), fd=2), pages)
    sock = socket.create_server(("127.0.0.1", 0))
    where = sock.getsockname()
    await server.listen("x", sock)
    yield daemon, where
    server.close()


async def talk(where: tuple[str, int], data: bytes) -> bytes:
    """Send, and give all that comes until the server closes."""
    reader, writer = await asyncio.open_connection(*where)
    writer.write(data)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def get(where: tuple[str, int], path: str) -> tuple[int, bytes]:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    head, _, body = (await talk(where, request.encode())).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def test_pages(served: tuple[Daemon, tuple[str, int]]) -> None:
    daemon, where = served
    assert await get(where, "/healthz") == (200, b"ok\n")
    assert await get(where, "/healthz/ready?verbose=1") == (200, b"ready\n")
    daemon.notes = "not bound: x\n"
    assert await get(where, "/healthz/ready") == (200, b"ready\nnot bound: x\n")
    daemon.why = "draining"
    assert await get(where, "/healthz/ready") == (503, b"not ready: draining\n")
    assert await get(where, "/healthz") == (200, b"ok\n")
    assert await get(where, "/metrics") == (200, b"metric 1\n")
    assert await get(where, "/debug/entries") == (200, b'{\n  "a": 1\n}\n')
    assert b'"/debug/entries"' in (await get(where, "/debug/"))[1]
    assert (await get(where, "/debug/../etc/passwd"))[0] == 404
    assert (await get(where, "/"))[0] == 404


async def test_a_page_that_fails_is_a_500_and_the_next_one_is_answered(
    served: tuple[Daemon, tuple[str, int]],
) -> None:
    _, where = served
    assert (await get(where, "/debug/broken"))[0] == 500
    assert (await get(where, "/healthz"))[0] == 200


async def test_a_connection_is_kept_and_pipelined_requests_are_answered_in_order(
    served: tuple[Daemon, tuple[str, int]],
) -> None:
    _, where = served
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    two = b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    answer = await talk(where, one + two + last)
    assert answer.count(b"HTTP/1.1 ") == 3
    assert b"metric 1" not in answer
    assert answer.index(b"ok\n") < answer.index(b"content-length: 9") < answer.index(b" 405 ")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"rubbish\r\n\r\n", b" 400 "),
        (b"GET / HTTP/1.1\r\n\r\n", b" 400 "),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (admin.HEAD_BYTES + 1), b" 431 "),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b" 400 "),
    ],
)
async def test_what_is_no_request_is_refused(
    served: tuple[Daemon, tuple[str, int]], data: bytes, status: bytes
) -> None:
    assert status in (await talk(served[1], data)).split(b"\r\n")[0]


async def test_half_a_request_is_closed_in_time(
    served: tuple[Daemon, tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "HEAD_SECONDS", 0.05)
    assert await talk(served[1], b"GET / HTTP/1.1\r\nHo") == b""


async def test_connections_over_the_cap_are_closed_and_room_is_made_again(
    served: tuple[Daemon, tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "MOST_CONNECTIONS", 2)
    held = [await asyncio.open_connection(*served[1]) for _ in range(2)]
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for reader, writer in held:  # an answer shows that the server has counted them
        writer.write(request.replace(b"close", b"keep-alive"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    with pytest.raises((ConnectionResetError, AssertionError)):
        assert await talk(served[1], request)
    for _, writer in held:
        writer.close()
        await writer.wait_closed()

    async def room() -> bool:
        try:
            return b" 200 " in await talk(served[1], request)
        except ConnectionResetError:
            return False

    deadline = asyncio.get_running_loop().time() + 20
    while not await room():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


def test_pages_are_plain_text_unless_they_say_otherwise() -> None:
    assert Page(200, b"").content_type == "text/plain; charset=utf-8"
