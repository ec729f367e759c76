"""Destinations that take lines, and some that do not."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from podway_router.access.destinations import FACILITIES, TAG, Output, Syslog


class Drops:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_a_pipe_that_nobody_reads_holds_nobody_up() -> None:
    reader, writer = os.pipe()
    drops = Drops()
    output = Output(100, drops, writer)
    try:
        for number in range(2000):
            output.write(f"line {number} " + "x" * 90)
        assert drops.count > 1000
        assert os.get_blocking(writer), "the descriptor that others share stays as it was"
        lines = os.read(reader, 1 << 20).splitlines()
        assert len(lines) + drops.count == 2000
        assert {len(line) for line in lines} <= {97, 98, 99, 100}
        output.write("again")
        assert os.read(reader, 1 << 20) == b"again\n"
    finally:
        output.close()
        os.close(reader)
        os.close(writer)


def test_a_part_of_a_long_line_is_ended_before_the_next_one() -> None:
    reader, writer = os.pipe()
    drops = Drops()
    output = Output(8192, drops, writer)
    try:
        for _ in range(20):
            output.write("y" * 8000)
        assert drops.count
        first = os.read(reader, 1 << 20)
        output.write("next")
        lines = (first + os.read(reader, 1 << 20)).split(b"\n")
        assert lines[-2:] == [b"next", b""]
        assert all(set(line) <= {ord("y")} for line in lines[:-2])
    finally:
        output.close()
        os.close(reader)
        os.close(writer)


def test_a_pipe_without_a_reader() -> None:
    reader, writer = os.pipe()
    drops = Drops()
    output = Output(100, drops, writer)
    os.close(reader)
    output.write("lost")
    output.close()
    os.close(writer)
    assert drops.count == 1


def test_a_file_and_a_socket(tmp_path: Path) -> None:
    drops = Drops()
    with (tmp_path / "out").open("wb") as file:
        output = Output(6, drops, file.fileno())
        output.write("too long")
        output.close()
        file.write(b"still open\n")
    assert (tmp_path / "out").read_bytes() == b"too lo\nstill open\n"
    here, there = socket.socketpair()
    with here, there:
        output = Output(100, drops, here.fileno())
        output.write("told \u2028 \ud800")
        assert there.recv(100) == b"told \xe2\x80\xa8 \\ud800\n"
        for _ in range(100_000):
            output.write("x" * 100)
            if drops.count:
                break
        output.close()
    assert drops.count == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_syslog(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as receiver:
        try:
            receiver.bind((host, 0))
        except OSError:
            pytest.skip(f"there is no {host} here")
        receiver.settimeout(5)
        drops = Drops()
        syslog = Syslog(receiver.getsockname()[:2], FACILITIES.index("local1"), 100, drops)
        syslog.write("x" * 200)
        said = receiver.recv(1000)
        head = rf"<142>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d \S+ {TAG}\[{os.getpid()}\]: x+\n"
        assert re.fullmatch(head, said.decode())
        assert len(said) == 101
        syslog.close()
        syslog.write("closed")
        assert drops.count == 1


@contextlib.contextmanager
def without_descriptors() -> Iterator[None]:
    """No descriptor is to be had in here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_syslog_without_a_descriptor_drops_lines_until_there_is_one() -> None:
    """An error here would keep a worker from the change that it came with."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.05)
        drops = Drops()
        with without_descriptors():
            syslog = Syslog(receiver.getsockname()[:2], 1, 100, drops)
            syslog.write("lost")
        assert drops.count == 1
        end = time.monotonic() + 5
        said = b""
        while not said and time.monotonic() < end:
            syslog.write("found")
            with contextlib.suppress(TimeoutError):
                said = receiver.recv(1000)
        assert b": found" in said
        syslog.close()


def test_output_without_a_descriptor_for_its_own() -> None:
    here, there = socket.socketpair()
    reader, writer = os.pipe()
    with here, there:
        with without_descriptors():
            outputs = [Output(100, Drops(), fd) for fd in (here.fileno(), writer)]
        for output in outputs:
            output.write("told")
            output.close()
        assert (there.recv(100), os.read(reader, 100)) == (b"told\n", b"told\n")
    os.close(reader)
    os.close(writer)
