from __future__ import annotations

from endpoints import endpoint, order, picks, shares_without

from podway_proxy.balance.rotation import Rotation, rotate

THREE = [endpoint(at) for at in range(3)]


def test_one_after_the_other() -> None:
    assert picks(Rotation(THREE), 7) == [0, 1, 2, 0, 1, 2, 0]


def test_others_follow_once_each() -> None:
    rotation = Rotation(THREE)
    assert [sorted(order(rotation)) for _ in range(4)] == [[0, 1, 2]] * 4


def test_the_share_of_a_dead_endpoint_goes_to_all_others() -> None:
    assert shares_without(Rotation([endpoint(at) for at in range(5)]), {1}, 400) == dict.fromkeys(
        (0, 2, 3, 4), 100
    )


def test_a_new_set_goes_on_where_the_old_was() -> None:
    old = Rotation(THREE)
    picks(old, 1)
    assert picks(rotate([*THREE, endpoint(3)], old, 0), 4) == [1, 2, 3, 0]


def test_when_the_next_has_gone_it_is_the_turn_of_the_one_after_it() -> None:
    old = Rotation(THREE)
    picks(old, 1)
    assert picks(rotate([endpoint(0), endpoint(2), endpoint(9)], old, 0), 3) == [2, 9, 0]


def test_when_nothing_stays_it_begins_afresh() -> None:
    assert picks(rotate([endpoint(7), endpoint(8)], Rotation(THREE), 1), 2) == [8, 7]
