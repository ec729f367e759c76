from __future__ import annotations

import pytest

from podway_proxy.balance.health import Health


def flips(health: Health, results: str) -> str:
    """A letter per result: U and D where it flips, a dot where it does not."""
    return "".join({True: "U", False: "D", None: "."}[health.seen(r == "+")] for r in results)


def test_falls_after_so_many_failures_in_a_row() -> None:
    assert flips(Health(fall=3, rise=2), "--+--+---+--++-") == "........D....U."


def test_rises_after_so_many_successes_in_a_row() -> None:
    assert flips(Health(fall=2, rise=3, up=False), "+-++-+++--") == ".......U.D"


def test_state_is_readable() -> None:
    health = Health(fall=1, rise=1)
    assert health.up
    assert health.seen(False) is False
    assert not health.up


@pytest.mark.parametrize(("fall", "rise"), [(0, 1), (1, 0), (-1, 2)])
def test_counts_from_1(fall: int, rise: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Health(fall, rise)
