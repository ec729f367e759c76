from __future__ import annotations

import asyncio
import socket

import pytest
from plane_rig import until

from podway_proxy.log import Log, Style
from podway_proxy.process.prober import Prober, check
from podway_proxy.process.spec import ProbeSpec


async def serve(answer: bytes) -> tuple[asyncio.Server, ProbeSpec, list[bytes]]:
    """An endpoint that gives the same answer to every request; the requests it has seen."""
    seen: list[bytes] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(4096))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, ProbeSpec("127.0.0.1", port, interval=0.02, timeout=5.0, name="node-1"), seen


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.0 200\r\n\r\n", ""),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "GET /healthz/ready: status 503"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "GET /healthz/ready: status 2000"),
        (b"SSH-2.0-OpenSSH\r\n", "GET /healthz/ready: no HTTP status line"),
        (b"", "GET /healthz/ready: no HTTP status line"),
        (b"x" * 4096, "GET /healthz/ready: no HTTP status line"),
    ],
)
async def test_only_200_is_well(answer: bytes, verdict: str) -> None:
    server, probe, seen = await serve(answer)
    asked = probe._replace(path="/healthz/ready", check_port=probe.port, port=1)
    assert await check(asked) == verdict
    assert seen[0].startswith(b"GET /healthz/ready HTTP/1.1\r\nHost: 127.0.0.1:")
    server.close()


async def test_a_connect_is_enough_where_no_path_is_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        probe = ProbeSpec("127.0.0.1", sock.getsockname()[1])
        assert await check(probe) == ""
    assert "refused" in await check(probe)


async def test_one_that_does_not_answer_in_time_is_not_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        probe = ProbeSpec("127.0.0.1", silent.getsockname()[1], path="/", timeout=0.05)
        assert await check(probe) == "no answer within 0.05 s"


async def test_checks_come_from_the_source_that_is_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        probe = ProbeSpec("127.0.0.1", sock.getsockname()[1], source="127.0.4.1")
        assert await check(probe) == ""
        accepted, peer = sock.accept()
        accepted.close()
        assert peer[0] == "127.0.4.1"


def prober(flips: list[dict[str, str]], down: dict[str, str] | None = None) -> Prober:
    log = Log("test", style=Style(level="error"))
    made = Prober(log, lambda: flips.append(dict(made.down)), down)
    return made


async def test_flips_are_told_once_and_an_endpoint_that_is_gone_is_forgotten() -> None:
    flips: list[dict[str, str]] = []
    followed = prober(flips)
    with socket.create_server(("127.0.0.1", 0)) as alive:
        well = ProbeSpec("127.0.0.1", alive.getsockname()[1], interval=0.02)
        dead = well._replace(port=closed_port())
        followed.follow([well, dead])
        await until(lambda: bool(flips))
        assert flips == [{f"down/127.0.0.1:{dead.port}": "Connection refused"}]
        followed.follow([dead, well])  # the same set: nothing begins anew
        with socket.create_server(("127.0.0.1", dead.port)):
            await until(lambda: len(flips) > 1)
            assert flips[1:] == [{}]
        await until(lambda: len(flips) > 2)
        followed.follow([well])
        assert followed.down == {}
        followed.close()


async def test_what_was_down_for_the_loader_before_is_down_until_it_rises() -> None:
    flips: list[dict[str, str]] = []
    with socket.create_server(("127.0.0.1", 0)) as alive:
        probe = ProbeSpec("127.0.0.1", alive.getsockname()[1], interval=0.02)
        key = f"down/127.0.0.1:{probe.port}"
        followed = prober(flips, {key: "known", "down/127.0.0.1:1": "no longer followed"})
        followed.follow([probe])
        assert followed.down == {key: "known"}
        await until(lambda: bool(flips))
        assert flips == [{}]
        followed.close()
