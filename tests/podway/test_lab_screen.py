from __future__ import annotations

import io

from podway.lab.screen import LINE_MOST, Screen


def test_lines_are_put_together_and_prefixed() -> None:
    out = io.StringIO()
    screen = Screen(out, colour=False, width=6)
    screen.pass_on("dns", b"one\ntw")
    screen.pass_on("lb-a", b"other\n")
    screen.pass_on("dns", b"o\n\nrest")
    screen.pass_on("dns", b"", end=True)
    assert out.getvalue() == "dns    │ one\nlb-a   │ other\ndns    │ two\ndns    │ rest\n"


def test_each_source_has_its_colour() -> None:
    out = io.StringIO()
    screen = Screen(out, colour=True, width=4)
    screen.pass_on("a", b"x\n")
    screen.pass_on("b", b"x\n")
    first, second = out.getvalue().splitlines()
    assert first.startswith("\x1b[36ma")
    assert second.startswith("\x1b[33mb")


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    out = io.StringIO()
    screen = Screen(out, colour=False)
    screen.pass_on("a", b"x" * (LINE_MOST + 1))
    assert len(out.getvalue()) > LINE_MOST


def test_quiet_shows_only_what_is_wrong() -> None:
    out = io.StringIO()
    screen = Screen(out, colour=False, quiet=True, width=1)
    screen.pass_on("a", b'{"event": "fine", "level": "info"}\n')
    screen.pass_on("a", b'{"event": "odd", "level": "warning"}\nnot a record\n')
    screen.say("own")
    assert out.getvalue() == "a │  warning: odd\na │ not a record\nown\n"


def test_a_hushed_screen_is_quiet_from_then_on() -> None:
    out = io.StringIO()
    screen = Screen(out, colour=False, width=1)
    screen.pass_on("a", b'{"event": "one", "level": "info"}\n')
    screen.hush()
    screen.pass_on("a", b'{"event": "two", "level": "info"}\n')
    assert out.getvalue() == "a │  one\n"


def test_a_reader_that_has_gone_does_not_end_the_lab() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    Screen(Gone(), colour=False).say("x")


def test_what_was_held_is_shown_if_it_matters() -> None:
    said = [
        (b'{"event": "ready", "level": "info"}\n', False),
        (b'{"event": "endpoint down", "level": "warning"}\n', False),
        (b'{"event": "bad object", "level": "warning"}\n', True),
        (b"Traceback\n", True),
    ]
    for everything in (False, True):
        out = io.StringIO()
        screen = Screen(out, colour=False, width=1)
        screen.hold()
        for line, _ in said:
            screen.pass_on("a", line)
        assert out.getvalue() == ""
        screen.release(everything=everything)
        assert len(out.getvalue().splitlines()) == sum(everything or told for _, told in said)
        screen.pass_on("a", b"next\n")
        assert out.getvalue().endswith("a │ next\n")
