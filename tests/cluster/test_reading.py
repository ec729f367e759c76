from __future__ import annotations

import os
from pathlib import Path

import pytest

from podway_cluster.objects import Place
from podway_cluster.reading import File, look, seems_partial
from podway_cluster.scan import Found, signature_of

LONG_AGO = 1_700_000_000
A = (
    "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: a}\n"
    "spec:\n  to: {name: s}\n  host: a.test\n"
)
B = "---\n" + A.replace("name: a", "name: b")


class Desk:
    """A file, and what is known of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now: File | None = None
        self.before: File | None = None

    def write(self, text: str) -> bool:
        """Write and look; tell whether it seems half-written."""
        self.path.write_text(text)
        self.look()
        assert self.now is not None
        return seems_partial(self.now, self.before)

    def look(self) -> None:
        place = Place(0, self.path.name, str(self.path))
        self.before = self.now
        signature = signature_of(os.stat(self.path)) if self.path.exists() else (0,) * 5
        self.now = look(Found(place, signature), self.before, trust=False)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "a.yaml")


def test_whole_texts_are_taken_for_such(desk: Desk) -> None:
    assert [desk.write(text) for text in (A, A + B, (A + B).replace("a.test", "b.test"))] == [
        False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("left", ["", "\n", A, A + "---\n", (A + B)[:-30], (A + B)[:-3], "x: [\n"])
def test_what_a_writer_may_leave_for_a_moment_is_doubted(desk: Desk, left: str) -> None:
    desk.write(A + B)
    assert desk.write(left)


def test_a_text_that_never_ends_its_last_line_is_doubted_once(desk: Desk) -> None:
    assert desk.write(A.rstrip())
    assert not desk.write(A.replace("a.test", "b.test").rstrip())


def test_json_needs_no_last_line(tmp_path: Path) -> None:
    text = '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}'
    assert not Desk(tmp_path / "a.json").write(text)


def test_the_same_bad_text_read_again_is_not_doubted_anew(desk: Desk) -> None:
    assert desk.write("x: [\n")
    assert not desk.write("x: [\n")


def test_a_file_written_long_ago_is_not_read_again(desk: Desk) -> None:
    desk.path.write_text(A)
    os.utime(desk.path, (LONG_AGO, LONG_AGO))
    desk.look()
    desk.look()
    assert desk.now is desk.before


def test_the_signature_is_that_of_what_was_read(desk: Desk) -> None:
    """It may have been written after the scan looked at it."""
    desk.path.write_text(A + B)
    place = Place(0, desk.path.name, str(desk.path))
    file = look(Found(place, (1, 1, 1, 1, 1)), None, trust=False)
    assert file.signature == signature_of(os.stat(desk.path))
    desk.path.write_text("")
    file = look(Found(place, file.signature or (0,) * 5), file._replace(settled=False), trust=False)
    assert len(file.content.retained) == 2


def test_what_can_not_be_read_keeps_what_it_held(desk: Desk) -> None:
    desk.write(A + B)
    desk.path.unlink()
    desk.look()
    assert desk.now is not None
    assert len(desk.now.content.retained) == 2
    assert desk.now.signature is None
