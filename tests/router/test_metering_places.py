"""Who gets a place of his own in the counters."""

from __future__ import annotations

import os

from podway_proxy import counters
from podway_proxy.counters import PLACES, Counters
from podway_router.metering.places import MOST_SERVERS, Places

ENTRY = {"endpoints": [["10.0.0.1", 80, "", 1], ["10.0.0.2", 80, "", 1]]}


def entries(*names: str) -> dict[str, object]:
    return {f"route/apps/shop/{name}": ENTRY for name in names}


def test_routes_keep_their_places() -> None:
    places = Places(Counters(), 3, servers=False)
    first = dict(places.settle(entries("a", "b")))
    assert sorted(first.values()) == [1, 2]
    second = places.settle({**entries("0"), **entries("b", "a"), **entries("c")})
    assert len(second) == 3
    assert first.items() <= second.items()
    third = places.settle(entries("c", "d", "e"))
    assert sorted(third) == [f"route/apps/shop/{name}" for name in "cde"]


def test_a_place_begins_at_nothing() -> None:
    shared = Counters()
    places = Places(shared, 1, servers=False)
    (index,) = places.settle(entries("a")).values()
    shared.place(index)[2] += 5
    assert shared.place_total(index)[2] == 5
    assert places.settle(entries("b")) == {"route/apps/shop/b": index}
    assert shared.place_total(index)[2] == 0


def test_the_next_loader_finds_the_names_and_all_workers_the_numbers() -> None:
    fd = counters.create(3)
    try:
        one, other = Counters(fd, 0), Counters(fd, 2)
        taken = dict(Places(one, 10, servers=False).settle(entries("a", "b")))
        for row in (one, other):
            row.place(taken["route/apps/shop/b"])[3] += 1
        again = Counters(fd, 0)
        assert Places(again, 10, servers=False).taken == taken
        assert again.place_total(taken["route/apps/shop/b"])[3] == 2
        assert other.slot("x_total") == again.slot("x_total")
    finally:
        os.close(fd)


def test_a_file_of_a_former_version_has_no_places() -> None:
    fd = os.memfd_create("former")
    os.ftruncate(fd, counters.NAMES_BYTES + 2 * counters.ROW_BYTES)
    try:
        former = Counters(fd, 1)
        assert former.rows == 2
        former.place(5)[1] += 1
        former.give_place(5, "somebody")
        assert former.places() == {}
        assert former.place_total(5)[1] == 0
    finally:
        os.close(fd)


def test_servers_and_frontends_are_bounded() -> None:
    names = [f"r{number}" for number in range(600)]
    taken = Places(Counters(), 500, servers=True).settle(entries(*names))
    assert sum(name.startswith("route/") for name in taken) == 500
    assert sum(name.startswith("server/") for name in taken) == MOST_SERVERS
    assert "frontend/public" in taken
    assert max(taken.values()) < PLACES
