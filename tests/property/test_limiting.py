"""The shared table against an exact dictionary; lines: no wake-up lost, no place leaked."""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from limiting_rig import CELLS, ENDPOINTS, Asking, Crew

from podway_proxy.limiting.table import ACTIVE, WORDS, Table, create
from podway_proxy.limiting.window import Window

ROWS = 3
few = settings(max_examples=60, deadline=None)
keys = st.integers(1, 2**64 - 1)
crowded = st.integers(0, 40).map(lambda n: 1 + n * 128)  # keys of one place: CELLS / WAYS is 128


@few
@given(
    st.lists(
        st.tuples(st.integers(0, ROWS - 1), st.one_of(keys, crowded), st.integers(-1, 1)),
        max_size=120,
    )
)
def test_the_table_is_as_a_dictionary_for_what_is_under_way(
    steps: list[tuple[int, int, int]],
) -> None:
    fd = create(ROWS, CELLS)
    tables = [Table(fd, row) for row in range(ROWS)]
    for row in range(ROWS):
        tables[0].open(row)
    model: Counter[tuple[int, int]] = Counter()
    for row, key, more in steps:
        if more == 0:
            tables[0].open(row)  # its worker died, another took its place
            model = Counter({each: n for each, n in model.items() if each[0] != row})
        elif more > 0:
            at = tables[row].claim(key)
            if at >= 0:
                tables[row].words[at + ACTIVE] += 1
                model[row, key] += 1
        elif model[row, key]:
            tables[row].words[tables[row].find(key) + ACTIVE] -= 1
            model[row, key] -= 1
        for each in {key for _, key, _ in steps}:
            expected = sum(model[one, each] for one in range(ROWS))
            assert all(table.active(each) == expected for table in tables)
    assert sum(tables[0].words[ACTIVE::WORDS]) == sum(model.values())
    os.close(fd)


@few
@given(st.lists(st.integers(0, 700), max_size=60), st.integers(0, 3000))
def test_a_window_is_near_the_exact_count(gaps: list[int], later: int) -> None:
    period, now, window, events = 1000, 10_000, Window(), list[int]()
    for gap in gaps:
        now += gap
        window = window.added(now, period)
        events.append(now)
    now += later
    shown = window.weight(now, period) / period
    assert shown <= max(1, sum(now - 2 * period < one for one in events))
    assert shown >= sum(window.start <= one for one in events) * (now - window.start < period)
    if all(now - one >= 2 * period for one in events):
        assert shown <= 1


step = st.tuples(
    st.sampled_from(["ask", "ask", "ask", "faithful", "end", "cancel", "next", "time", "ring"]),
    st.integers(0, 2),
    st.integers(0, 50),
)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.lists(step, max_size=80))
def test_no_place_is_leaked_and_no_wake_up_lost(
    workers: int, most: int, steps: list[tuple[str, int, int]]
) -> None:
    crew = Crew(workers, most)
    asked: list[list[Asking]] = [[] for _ in range(workers)]
    for what, row, which in steps:
        row %= workers
        _do(crew, asked[row], what, row, which)
        used = Counter(one.endpoint for each in asked for one in each if one.endpoint)
        assert all(count <= most for count in used.values())
        assert crew.active() == [used[one] for one in ENDPOINTS]
    crew.pass_time(0.5)
    for each in asked:
        for one in each:
            if one.waits:
                wanted = one.visit._wanted
                full = [count == most for count in crew.active()]
                assert all(full) if wanted is None else full[_index(wanted)]
    _end_all(crew, asked)
    assert crew.active() == [0, 0]
    assert all(worker.places.idle for worker in crew.workers)
    crew.close()


def _index(address: tuple[str, int]) -> int:
    return [one.address for one in ENDPOINTS].index(address)


def _do(crew: Crew, asked: list[Asking], what: str, row: int, which: int) -> None:
    worker = crew.workers[row]
    one = asked[which % len(asked)] if asked else None
    if what in ("ask", "faithful"):
        asked.append(worker.ask(faithful=what == "faithful"))
    elif what == "time":
        crew.pass_time(0.25 * (which % 3))
    elif what == "ring":
        worker.hall._on_ring()
    elif one is not None and one.endpoint is not None:
        if what == "next" and not one.visit._open:
            one.next()
        elif what == "cancel" and not one.visit._open:
            one.visit.cancel()
            one.endpoint = None
        elif what == "end":
            one.open()
            one.end()
    elif one is not None and what == "cancel":
        one.visit.cancel()
        one.refused = one.refused or "left"
    worker.plane.settle()


def _end_all(crew: Crew, asked: list[list[Asking]]) -> None:
    """End whoever is with an endpoint, until nobody waits."""
    for _ in range(100):
        for each in asked:
            for one in each:
                if one.endpoint is not None:
                    one.open()
                    one.end()
        crew.settle()
        if not any(one.waits or one.endpoint for each in asked for one in each):
            return
        crew.pass_time(0.25)
    raise AssertionError("somebody waits for ever")
