from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from podway_proxy.log import Log, Style
from podway_proxy.plane.plane import Plane
from podway_proxy.restraint import KINDS, PER_KIND, Restraint


class Desk:
    """A restraint that writes to a file; `pass_second` stands for the plane's tick."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.restraint = Restraint(Plane(), Log("d", style=Style("json"), fd=self.fd))

    def pass_second(self) -> None:
        self.restraint.on_deadline()

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "log")
    yield made
    os.close(made.fd)


def test_the_first_lines_are_written_and_the_others_counted(desk: Desk) -> None:
    for number in range(5000):
        desk.restraint.info("refused", step="hello", client=number)
    assert [line["client"] for line in desk.lines()] == list(range(PER_KIND))
    desk.pass_second()
    last = desk.lines()[-1]
    assert (last["event"], last["of"], last["kind"]) == (
        f"{5000 - PER_KIND} more not shown",
        "refused",
        "hello",
    )


def test_a_flood_of_one_kind_hides_no_other(desk: Desk) -> None:
    for _ in range(100):
        desk.restraint.info("refused", step="hello")
    desk.restraint.info("refused", step="no-route")
    desk.restraint.info("connect failed", by="route shop/web")
    assert [line.get("step") for line in desk.lines()[-2:]] == ["no-route", None]


def test_the_next_second_begins_anew_and_silence_says_nothing(desk: Desk) -> None:
    desk.restraint.info("refused", step="hello")
    desk.pass_second()
    desk.pass_second()
    desk.restraint.info("refused", step="hello")
    assert len(desk.lines()) == 2


def test_kinds_that_a_stranger_invents_are_capped_too(desk: Desk) -> None:
    for number in range(5000):
        desk.restraint.info("refused", step=str(number))
    assert len(desk.lines()) == KINDS + PER_KIND
    desk.pass_second()
    assert desk.lines()[-1]["event"] == f"{5000 - KINDS - PER_KIND} more not shown"
