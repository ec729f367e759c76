from __future__ import annotations

import os

import pytest

from podway_proxy.counters import SLOTS, Counters, create, split

NAMES = ("connections_total", "open", "refused_total:step=no-route")


def test_private_counters_for_a_librarys_user() -> None:
    counters = Counters(names=NAMES)
    counters[counters.slot("open")] += 2
    counters.row[counters.slot("open")] -= 1
    assert counters.totals() == {"connections_total": 0, "open": 1, NAMES[2]: 0}


def test_processes_agree_on_slots_whatever_order_they_name_them_in() -> None:
    fd = create(2)
    one = Counters(fd, 0, NAMES)
    other = Counters(fd, 1, ("new_total", *reversed(NAMES)))
    assert [one.slot(name) for name in NAMES] == [0, 1, 2]
    assert [other.slot(name) for name in NAMES] == [0, 1, 2]
    assert one.slot("new_total") == other.slot("new_total") == 3
    os.close(fd)


def test_a_metric_is_the_sum_and_survives_its_worker_but_a_gauge_does_not() -> None:
    fd = create(3)
    for index in range(3):
        worker = Counters(fd, index, NAMES)
        worker[0] += 10
        worker[1] += 1
    master = Counters(fd)
    assert (master.total(0), master.total(1)) == (30, 3)
    master.clear_gauges(1)
    assert (master.total(0), master.total(1)) == (30, 2)
    os.close(fd)


def test_bad_names_and_too_many_are_refused() -> None:
    counters = Counters()
    for name in ("", "a\nb", "a\0b"):
        with pytest.raises(ValueError, match="one line of text"):
            counters.slot(name)
    for number in range(SLOTS):
        counters.slot(f"c{number}")
    with pytest.raises(ValueError, match="no room for more than 512 names"):
        counters.slot("one more")


def test_names_carry_labels() -> None:
    assert split("open") == ("open", {})
    assert split("r_total:step=no-route,proto=tls") == (
        "r_total",
        {"step": "no-route", "proto": "tls"},
    )
    assert split("r_total:no-route") == ("r_total", {"reason": "no-route"})
