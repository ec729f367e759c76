"""The README's example is a proxy: run as it stands there."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from pathlib import Path

import pytest
from plane_rig import closed_port, connect, echo, read_exactly, server

pytestmark = pytest.mark.live

README = Path(__file__).parents[2] / "proxy" / "README.md"


def example() -> str:
    (text,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    return str(text)


async def reach(address: tuple[str, int]) -> socket.socket:
    """Connect as soon as somebody listens there."""
    for _ in range(1_000):
        try:
            return await connect(address)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
    raise AssertionError(f"nobody listens at {address}")


def test_it_is_short() -> None:
    lines = [line for line in example().splitlines() if line.strip()]
    assert len(lines) <= 20


async def test_it_forwards_and_passes_over_a_dead_endpoint(tmp_path: Path) -> None:
    script = tmp_path / "proxy.py"
    script.write_text(example())
    address, dead = closed_port(), closed_port()
    async with server(echo) as alive:
        ports = (str(port) for _, port in (address, dead, alive))
        child = await asyncio.create_subprocess_exec(
            sys.executable, str(script), *ports, stdout=asyncio.subprocess.PIPE
        )
        try:
            for _ in range(2):
                with await reach(address) as sock:
                    await asyncio.get_running_loop().sock_sendall(sock, b"ping" * 100_000)
                    assert await read_exactly(sock, 400_000) == b"ping" * 100_000
        finally:
            child.kill()
            await child.communicate()
