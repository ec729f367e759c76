from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podway_proxy.process.changes import Replica, difference

ENTRIES = st.dictionaries(st.text(max_size=2), st.none() | st.integers(0, 2), max_size=6)


def test_a_difference_names_what_is_new_what_changed_and_what_went() -> None:
    changes = difference({"a": 1, "b": 2, "c": None}, {"a": 1, "b": 3, "d": None}, 7)
    assert changes == (7, {"b": 3, "d": None}, ("c",))


def test_an_entry_of_none_is_an_entry() -> None:
    assert difference({}, {"a": None}, 1).put == {"a": None}
    assert difference({"a": None}, {"a": None}, 1).put == {}


def test_a_full_set_changes_only_what_differs_from_the_loader_before() -> None:
    replica = Replica()
    replica.take({"version": 1, "put": {"a": 1, "b": 2}, "drop": [], "full": True})
    before = replica.entries
    changed = replica.take({"version": 9, "put": {"b": 3, "c": 4}, "drop": [], "full": True})
    assert changed == {"a", "b", "c"}
    assert (replica.entries, replica.version) == ({"b": 3, "c": 4}, 9)
    assert before == {"a": 1, "b": 2}, "the set that requests may still read is never changed"


@given(st.lists(ENTRIES, min_size=1, max_size=6))
def test_following_differences_gives_the_same_as_taking_each_set_whole(
    sets: list[dict[str, int | None]],
) -> None:
    replica = Replica()
    for version, wanted in enumerate(sets, 1):
        before = replica.entries
        changes = difference(before, wanted, version)
        changed = replica.take({**changes._asdict(), "full": False})
        assert replica.entries == wanted
        every = before.keys() | wanted.keys()
        missing = object()
        assert changed == {
            key for key in every if before.get(key, missing) != wanted.get(key, missing)
        }
