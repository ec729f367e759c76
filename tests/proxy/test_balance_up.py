from __future__ import annotations

from endpoints import endpoint, weighted

from podway_proxy.balance.up import alive, down_addresses


def test_those_that_are_down_are_left_out() -> None:
    assert alive(weighted(1, 2, 3), {endpoint(1).address}) == [(endpoint(0), 1), (endpoint(2), 3)]


def test_nothing_is_down() -> None:
    assert alive(weighted(1, 2), set()) == weighted(1, 2)
    assert alive(weighted(1, 2), {("10.9.9.9", 1)}) == weighted(1, 2)


def test_all_are_down_fails_open() -> None:
    down = {endpoint(at).address for at in range(3)}
    assert alive(weighted(1, 2, 3), down) == weighted(1, 2, 3)
    assert alive([], down) == []


def test_one_that_is_never_chosen_does_not_keep_it_closed() -> None:
    assert alive(weighted(1, 0), {endpoint(0).address}) == weighted(1, 0)


def test_the_entries_name_what_is_down() -> None:
    keys = ["route/a/b/c", "down/127.0.0.1:80", "down/::1:443"]
    assert down_addresses(keys) == {("127.0.0.1", 80), ("::1", 443)}
