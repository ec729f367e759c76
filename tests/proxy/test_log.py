from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from podway_proxy.log import LEVELS, Log, Record, Style, json_line, stamp, text_line

RECORD = Record(1795300000.125, "podway-lb", "lb-a", "worker 0", "info", "connected", {})


def test_text() -> None:
    record = RECORD._replace(
        fields={"to": "127.0.0.1:80", "seconds": 0.25, "why": 'a "b"', "no": ""}
    )
    assert text_line(record, colour=False) == (
        "2026-11-21T22:26:40.125Z podway-lb[lb-a] worker 0 INFO connected"
        ' to=127.0.0.1:80 seconds=0.25 why="a \\"b\\"" no=""'
    )


def test_colour_is_around_the_words_and_not_in_them() -> None:
    line = text_line(RECORD, colour=True)
    assert "\x1b[32mINFO\x1b[0m" in line
    assert "podway-lb[lb-a] worker 0" in line


@pytest.mark.parametrize("value", ["a\nERROR forged", "\x1b[2J", "\u2028", "a\rb", "\x00"])
def test_no_value_can_forge_a_line_or_drive_the_terminal(value: str) -> None:
    line = text_line(RECORD._replace(fields={"host": value}), colour=False)
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    assert len(json_line(RECORD._replace(fields={"host": value})).split("\n")) == 1


def test_json() -> None:
    record = RECORD._replace(fields={"endpoint": ("127.0.0.1", 80), "event": "mine", "x": {1}})
    assert json.loads(json_line(record)) == {
        "time": "2026-11-21T22:26:40.125Z",
        "daemon": "podway-lb",
        "instance": "lb-a",
        "role": "worker 0",
        "level": "info",
        "event": "connected",
        "endpoint": ["127.0.0.1", 80],
        "event_": "mine",
        "x": "{1}",
    }


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    yield reader, writer
    os.close(reader)


def test_only_what_is_asked_for_is_written(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    for least in LEVELS:
        log = Log("d", role="master", style=Style(level=least), fd=writer)
        log.debug("one")
        log.info("two")
        log.warn("three")
        log.error("four")
        lines = os.read(reader, 4096).decode().splitlines()
        assert len(lines) == len(LEVELS) - LEVELS.index(least)
    os.close(writer)


def test_an_unexpected_error_is_one_record_with_its_trace_back(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    log = Log("d", role="master", style=Style("json"), fd=writer)
    try:
        int("the test")
    except ValueError as error:
        log.unexpected("it failed", error, where="here")
    os.close(writer)
    (line,) = os.read(reader, 65_536).decode().splitlines()
    record = json.loads(line)
    assert record["error"].startswith("ValueError: invalid literal")
    assert record["where"] == "here"
    assert "test_log.py" in record["traceback"]


def test_a_reader_that_went_away_ends_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    Log("d", fd=writer).error("nobody reads this")
    os.close(writer)


def test_a_terminal_gets_colour_and_a_file_gets_json(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Style.choose(None, "info", theirs) == ("text", True, "info")
    assert Style.choose("json", "info", theirs).colour is False
    monkeypatch.setenv("NO_COLOR", "1")
    assert Style.choose(None, "info", theirs) == ("text", False, "info")
    os.close(ours)
    os.close(theirs)
    with open(os.devnull, "wb") as file:
        assert Style.choose(None, "debug", file.fileno()) == ("json", False, "debug")
        assert Style.choose("text", "debug", file.fileno()) == ("text", False, "debug")


def test_the_stamp_never_rounds_up_to_a_full_second() -> None:
    assert stamp(0.9999) == "1970-01-01T00:00:00.999Z"
