from __future__ import annotations

from podway_proxy.limiting.window import Window

PERIOD = 1000


def counted(*times: int) -> Window:
    window = Window()
    for time in times:
        window = window.added(time, PERIOD)
    return window


def rate(window: Window, now: int) -> int:
    return window.weight(now, PERIOD) // PERIOD


def test_events_count_whole_while_their_period_lasts() -> None:
    window = counted(5000, 5100, 5999)
    assert [rate(window, now) for now in (5999, 6000)] == [3, 3]


def test_events_of_the_period_before_fade_away() -> None:
    window = counted(*[5000] * 10)
    assert [rate(window, now) for now in (6000, 6250, 6500, 6999, 7001)] == [10, 7, 5, 0, 0]


def test_both_periods_count() -> None:
    window = counted(*[5000] * 10, 6500, 6500)
    assert window == Window(6000, 2, 10)
    assert rate(window, 6500) == 7


def test_a_single_event_does_not_fade() -> None:
    assert [rate(counted(5000), now) for now in (5999, 6999, 7001)] == [1, 1, 0]


def test_after_two_quiet_periods_it_begins_anew() -> None:
    assert counted(5000, 5000, 7000) == Window(7000, 1, 0)
