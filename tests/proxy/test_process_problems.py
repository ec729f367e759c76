from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podway_proxy.log import Log, Style
from podway_proxy.process.problems import MOST, report

Said = Callable[[list[str], list[str]], list[tuple[str, str, str]]]


@pytest.fixture
def said(tmp_path: Path) -> Iterator[Said]:
    """Report, and give what was logged: (level, event, what)."""
    fd = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)

    def reported(before: list[str], now: list[str]) -> list[tuple[str, str, str]]:
        os.truncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        report(Log("d", style=Style("json"), fd=fd), before, now)
        lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
        return [(line["level"], line["event"], line.get("what", "")) for line in lines]

    yield reported
    os.close(fd)


def test_a_problem_is_logged_when_it_begins_and_when_it_is_solved(said: Said) -> None:
    assert said([], ["a", "b", "a"]) == [("warning", "problem", "a"), ("warning", "problem", "b")]
    assert said(["a", "b"], ["b"]) == [("info", "problem solved", "a")]
    assert said(["b"], ["b"]) == []


def test_of_very_many_the_first_are_shown(said: Said) -> None:
    lines = said([], [str(number) for number in range(10_000)])
    assert len(lines) == MOST + 1
    assert lines[-1][:2] == ("warning", f"{10_000 - MOST} more problems")
