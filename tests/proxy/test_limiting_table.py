from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from podway_proxy.limiting.table import ACTIVE, KEY, WAYS, Table, create

CELLS = 1024


@pytest.fixture
def file() -> Iterator[int]:
    fd = create(3, CELLS)
    yield fd
    os.close(fd)


def opened(fd: int, *rows: int) -> list[Table]:
    master = Table(fd)
    for row in rows:
        master.open(row)
    return [Table(fd, row) for row in rows]


def test_a_key_is_the_same_in_all_processes_of_a_daemon_only(file: int) -> None:
    one, two = opened(file, 0, 1)
    assert one.key("a b") == two.key("a b") != one.key("a c")
    assert one.key("a b") != Table(cells=CELLS).key("a b")


def test_a_cell_is_found_again_and_empty_at_first() -> None:
    table = Table(cells=CELLS)
    assert table.find(7) == -1
    at = table.claim(7)
    assert table.words[at : at + 8].tolist() == [7, 0, 0, 0, 0, 0, 0, 0]
    table.words[at + 3] = 5
    assert table.claim(7) == table.find(7) == at
    assert table.words[at + 3] == 5


def test_workers_read_each_others_rows_and_write_their_own(file: int) -> None:
    one, two, three = opened(file, 0, 1, 2)
    for table, active in ((one, 2), (two, 3)):
        table.words[table.claim(7) + ACTIVE] = active
    assert [table.active(7) for table in (one, two, three)] == [5, 5, 5]
    assert one.others(7) == [two.find(7)]
    assert three.find(7) == -1


def test_what_a_dead_worker_held_is_gone(file: int) -> None:
    one, two = opened(file, 0, 1)
    two.words[two.claim(7) + ACTIVE] = 3
    assert one.active(7) == 3
    assert not one.alone
    Table(file).clear(1)
    assert one.active(7) == 0
    assert one.alone
    opened(file, 1)
    assert one.active(7) == 0
    assert not one.alone


def test_the_one_written_to_longest_ago_makes_room() -> None:
    table = Table(cells=CELLS)
    keys = [1 + n * CELLS // WAYS for n in range(WAYS + 1)]  # all in one place
    for time, key in enumerate(keys[:WAYS], start=10):
        table.words[table.claim(key) + 2] = time
    table.words[table.find(keys[0]) + 5] = 99
    at = table.claim(keys[WAYS])
    assert table.find(keys[1]) == -1
    assert [table.find(key) >= 0 for key in keys].count(True) == WAYS
    assert table.words[at : at + 8].tolist() == [keys[WAYS], 0, 0, 0, 0, 0, 0, 0]


def test_what_is_under_way_makes_no_room() -> None:
    table = Table(cells=CELLS)
    keys = [1 + n * CELLS // WAYS for n in range(WAYS + 1)]
    for key in keys[:WAYS]:
        table.words[table.claim(key) + ACTIVE] = 1
    assert table.claim(keys[WAYS]) == -1
    table.words[table.find(keys[3]) + ACTIVE] = 0
    assert table.words[table.claim(keys[WAYS]) + KEY] == keys[WAYS]


def test_memory_is_given_back(file: int) -> None:
    (table,) = opened(file, 1)
    for key in range(1, CELLS):
        table.claim(key)
    before = os.fstat(file).st_blocks
    table.clear(1)
    assert os.fstat(file).st_blocks < before
