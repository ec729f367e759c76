from __future__ import annotations

import math
import random

from podway_proxy.plane.wheel import SLOTS, TICK, Wheel


class Item:
    def on_deadline(self) -> None:
        """Called by the plane, not by the wheel."""


def test_a_deadline_falls_due_at_the_first_tick_at_or_after_it() -> None:
    wheel, item = Wheel(100.0), Item()
    wheel.put(item, 101.1)
    assert wheel.due(101.0) == []
    assert wheel.due(101.2) == []
    assert wheel.due(101.25) == [item]
    assert wheel.due(200.0) == []


def test_a_later_call_replaces_the_deadline_both_ways() -> None:
    wheel, item = Wheel(0.0), Item()
    wheel.put(item, 1.0)
    wheel.put(item, 3.0)
    assert wheel.due(2.0) == []
    wheel.put(item, 2.5)
    assert wheel.due(2.5) == [item]
    assert wheel.due(4.0) == []


def test_inf_cancels_and_lets_go_of_the_object() -> None:
    wheel, item = Wheel(0.0), Item()
    wheel.put(item, 1.0)
    wheel.put(item, math.inf)
    wheel.put(item, math.inf)
    assert len(wheel) == 0
    assert not any(wheel._slots)
    assert wheel.due(2.0) == []


def test_a_deadline_in_the_past_is_due_at_the_next_tick() -> None:
    wheel, item = Wheel(10.0), Item()
    wheel.put(item, 3.0)
    assert wheel.due(10.0) == []
    assert wheel.due(10.25) == [item]


def test_a_deadline_beyond_the_wheel_comes_round() -> None:
    wheel, item = Wheel(0.0), Item()
    at = 2.5 * SLOTS * TICK
    wheel.put(item, at)
    now, seen = 0.0, []
    while not seen:
        now += TICK
        seen = wheel.due(now)
    assert seen == [item]
    assert now == at


def test_a_clock_that_jumps_over_the_whole_wheel_misses_nothing() -> None:
    wheel, items = Wheel(0.0), [Item() for _ in range(500)]
    for number, item in enumerate(items):
        wheel.put(item, number * 0.5)
    assert set(wheel.due(1_000.0)) == set(items)
    assert len(wheel) == 0


def test_random_deadlines_are_never_early_never_lost_never_late_by_more_than_a_tick() -> None:
    rng = random.Random(7)
    wheel, now = Wheel(0.0), 0.0
    want: dict[Item, float] = {}
    for _ in range(3_000):
        for _ in range(rng.randrange(3)):
            item = rng.choice(list(want)) if want and rng.random() < 0.5 else Item()
            at = now + rng.random() * rng.choice((1, 10, 200))
            if rng.random() < 0.1:
                at = math.inf
                want.pop(item, None)
            else:
                want[item] = at
            wheel.put(item, at)
        now += rng.random() * 0.5
        for item in wheel.due(now):
            assert want.pop(item) <= now
        assert all(at > now - TICK for at in want.values())
        assert len(wheel) == len(want)
