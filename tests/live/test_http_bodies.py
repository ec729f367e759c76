from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_rig import PATIENCE, PodConnection, read_answer, serving, until

pytestmark = pytest.mark.live

SIZE = 50_000_000
BLOCK = os.urandom(1_000_000)


def blocks(size: int = SIZE) -> Iterator[bytes]:
    for at in range(0, size, len(BLOCK)):
        yield BLOCK[: size - at]


def digest(size: int = SIZE) -> str:
    made = hashlib.sha256()
    for block in blocks(size):
        made.update(block)
    return made.hexdigest()


DIGEST = digest()


def resident() -> int:
    """Peak resident memory in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def send_body(connection: PodConnection, chunked: bool) -> None:
    with contextlib.suppress(OSError):
        if not chunked:
            connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        else:
            connection.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for block in blocks():
            if chunked:
                connection.sock.sendall(b"%x\r\n%b\r\n" % (len(block), block))
            else:
                connection.sock.sendall(block)
        if chunked:
            connection.sock.sendall(b"0\r\nX-Sum: y\r\n\r\n")


def curl(port: int, *args: str) -> bytes:
    command = ["curl", "-sS", "--max-time", "30", "--resolve", f"a:{port}:127.0.0.1", *args]
    return subprocess.run(
        [*command, f"http://a:{port}/"], capture_output=True, check=True, timeout=40
    ).stdout


@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_long_download_arrives_unchanged(chunked: bool, version: str, tmp_path: Path) -> None:
    def handle(connection: PodConnection) -> None:
        while connection.head():
            send_body(connection, chunked)

    with serving(handle) as (rig, _):
        before = resident()
        curl(rig.port, version, "-o", str(tmp_path / "got"))
        with (tmp_path / "got").open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == DIGEST
        until(lambda: rig.records)
        assert rig.records[0].status == 200
        if version == "--http1.1":
            assert len(rig.front.pool) == 1
        assert resident() - before < 20_000_000


@pytest.mark.parametrize("chunked", [False, True])
def test_a_long_upload_arrives_unchanged(chunked: bool, tmp_path: Path) -> None:
    source = tmp_path / "sent"
    with source.open("wb") as file:
        file.writelines(blocks())
    got: list[bytes] = []

    def handle(connection: PodConnection) -> None:
        head = connection.head()
        made = hashlib.sha256()
        while b"chunked" in head:
            while b"\r\n" not in connection.buffer:
                connection.more()
            size, _, connection.buffer = connection.buffer.partition(b"\r\n")
            made.update(connection.exactly(int(size, 16)))
            connection.exactly(2)
            if size == b"0":
                break
        else:
            left = SIZE
            while left:
                data = connection.exactly(min(left, 65536))
                made.update(data)
                left -= len(data)
        text = made.hexdigest().encode()
        got.append(head)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    options = ["-H", "Transfer-Encoding: chunked"] if chunked else []
    with serving(handle) as (rig, _):
        assert curl(rig.port, "-T", str(source), *options).decode() == DIGEST
        assert (b"chunked" in got[0]) is chunked


def test_both_directions_at_once() -> None:
    """A pod that echoes while it reads: the answer begins long before the request has ended."""
    size = 5_000_000

    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        left = size
        while left:
            data = connection.exactly(min(left, 50_000))
            connection.send(data)
            left -= len(data)

    with serving(handle) as (rig, _), rig.connect() as sock:

        def send() -> None:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
            for block in blocks(size):
                sock.sendall(block)

        thread = threading.Thread(target=send)
        thread.start()
        _, body = read_answer(sock)
        thread.join(PATIENCE)
        assert hashlib.sha256(body).hexdigest() == digest(size)


def test_a_slow_reader_holds_bounded_memory() -> None:
    sent = [0]

    def handle(connection: PodConnection) -> None:
        connection.head()
        connection.sock.settimeout(None)
        with contextlib.suppress(OSError):
            connection.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sock.sendall(b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK))
                sent[0] += len(BLOCK)

    with serving(handle) as (rig, _):
        readers = [socket.create_connection(rig.address) for _ in range(5)]
        for reader in readers:
            reader.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        last = [-1, 0]

        def settled() -> bool:
            last[1] = last[1] + 1 if sent[0] == last[0] else 0
            last[0] = sent[0]
            return sent[0] > 0 and last[1] > 40

        until(settled, "a stop of the pods")
        # What is in flight lies in the kernel's socket buffers; ours are one read each.
        flows = rig.call(lambda: [c._exchange.download for c in rig.front._clients])
        assert all(len(flow._tail) <= 262_144 for flow in flows)
        for reader in readers:
            reader.close()
        until(lambda: rig.front.active == 0)
