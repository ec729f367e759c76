from __future__ import annotations

from podway_cluster.doubt import Doubt
from podway_cluster.objects import Place

A, B = Place(0, "a.yaml", "a.yaml"), Place(0, "b.yaml", "b.yaml")
ONE, OTHER = (1, 1, 1, 1, 1), (2, 2, 2, 2, 2)


def test_no_doubt_is_no_wait() -> None:
    assert Doubt(1.0).unripe({}, 5.0) == set()


def test_without_patience_everything_counts_at_once() -> None:
    assert Doubt(0.0).unripe({A: ONE}, 5.0) == set()


def test_a_file_counts_once_it_stayed_as_it_is() -> None:
    doubt = Doubt(1.0)
    waits = [doubt.unripe({A: ONE}, now) for now in (5.0, 5.9, 6.0, 6.1)]
    assert waits == [{A}, {A}, set(), set()]


def test_each_file_that_changes_is_waited_for_anew() -> None:
    doubt = Doubt(1.0)
    assert doubt.unripe({A: ONE}, 5.0) == {A}
    assert doubt.unripe({A: OTHER}, 5.9) == {A}
    assert doubt.unripe({A: OTHER, B: ONE}, 6.8) == {A, B}
    assert doubt.unripe({A: OTHER, B: ONE}, 6.9) == {B}
    assert doubt.unripe({A: OTHER, B: ONE}, 7.8) == set()


def test_others_do_not_wait_for_a_file_that_never_rests() -> None:
    doubt = Doubt(1.0)
    for tenth in range(0, 100, 5):
        assert doubt.unripe({A: (tenth, 0, 0, 0, 0)}, tenth / 10) == {A}
        assert not doubt.drags_on(tenth / 10)
    assert doubt.unripe({A: ONE}, 10.0) == {A}
    assert doubt.drags_on(10.0)


def test_the_next_doubt_begins_anew() -> None:
    doubt = Doubt(1.0)
    doubt.unripe({A: ONE}, 0.0)
    assert doubt.unripe({A: ONE}, 1.0) == set()
    assert doubt.unripe({A: OTHER}, 60.0) == {A}
    assert not doubt.drags_on(60.0)
