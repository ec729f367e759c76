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


def test_quiet_leaves_out_what_others_say() -> None:
    out = io.StringIO()
    screen = Screen(out, colour=False, quiet=True)
    screen.pass_on("a", b"x\n")
    screen.say("own")
    assert out.getvalue() == "own\n"


def test_a_reader_that_has_gone_does_not_end_the_lab() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    Screen(Gone(), colour=False).say("x")
