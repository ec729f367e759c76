from __future__ import annotations

from collections.abc import Iterator

import pytest
from limiting_rig import ENDPOINTS, Asking, Crew, Worker


@pytest.fixture
def alone() -> Iterator[Worker]:
    crew = Crew(1, most=1)
    yield crew.workers[0]
    crew.close()


@pytest.fixture
def pair() -> Iterator[Crew]:
    crew = Crew(2, most=1)
    yield crew
    crew.close()


def filled(worker: Worker) -> list[Asking]:
    """Take all places."""
    made = [worker.ask() for _ in ENDPOINTS]
    for one in made:
        one.open()
    return made


def test_a_request_goes_to_an_endpoint_that_has_room(alone: Worker) -> None:
    first, second = filled(alone)
    assert {first.endpoint, second.endpoint} == set(ENDPOINTS)
    third = alone.ask()
    assert third.waits
    freed = first.endpoint
    first.end()
    alone.plane.settle()
    assert third.endpoint == freed


def test_a_line_is_first_come_first_served(alone: Worker) -> None:
    held = filled(alone)
    line = [alone.ask() for _ in range(3)]
    held[0].end()
    newcomer = alone.ask()
    assert newcomer.waits
    alone.plane.settle()
    assert [one.waits for one in (*line, newcomer)] == [False, True, True, True]


def test_who_leaves_the_line_is_passed_over(alone: Worker) -> None:
    held = filled(alone)
    line = [alone.ask() for _ in range(2)]
    line[0].visit.cancel()
    held[0].end()
    alone.plane.settle()
    assert line[0].endpoint is None
    assert line[1].endpoint is not None


def test_who_waits_too_long_is_turned_away(alone: Worker) -> None:
    filled(alone)
    waiting = alone.ask()
    alone.plane.pass_time(4.5)
    assert waiting.waits
    alone.plane.pass_time(1)
    expected = "no pod had room within 5 s (pod-concurrent-connections is 1)"
    assert waiting.refused == expected
    assert alone.places.waiting == 0


def test_a_line_has_an_end(alone: Worker) -> None:
    alone.hall.most = 2
    filled(alone)
    asked = [alone.ask() for _ in range(3)]
    alone.plane.pass_time(0.5)
    assert [one.refused[:21] for one in asked] == ["", "", "2 are waiting for a p"]


def test_the_next_candidate_is_one_with_room(alone: Worker) -> None:
    asking = alone.ask()
    failed = asking.endpoint
    asking.next()
    assert asking.endpoint not in (failed, None)
    asking.next()
    assert asking.endpoint is None
    assert alone.places.idle


def test_a_place_that_was_not_used_is_given_back(alone: Worker) -> None:
    asking = alone.ask()
    asking.visit.cancel()
    assert alone.places.idle


def test_a_faithful_one_waits_for_its_own_endpoint(alone: Worker) -> None:
    first = alone.ask(faithful=True)
    first.open()
    wanted = first.endpoint
    other = alone.ask(faithful=True)
    other.open()
    again = alone.ask(faithful=True)
    assert again.waits
    assert wanted is not None
    assert (again.visit._wanted, first.visit._taken) == (wanted.address, wanted.address)
    other.end()
    alone.plane.settle()
    assert again.waits
    first.end()
    alone.plane.settle()
    assert again.endpoint == wanted


def test_a_faithful_one_whose_endpoint_is_gone_takes_any(alone: Worker) -> None:
    first, second = filled(alone)
    waiting = alone.ask(faithful=True)
    alone.addresses = {one.address for one in ENDPOINTS} - {waiting.visit._wanted}
    end = second if first.visit._taken == waiting.visit._wanted else first
    alone.plane.pass_time(0.25)
    end.end()
    alone.plane.settle()
    assert waiting.endpoint is not None


def test_a_second_attempt_takes_its_place_back_before_others(alone: Worker) -> None:
    held = filled(alone)[0]
    waiting = alone.ask()
    endpoint = held.endpoint
    assert endpoint is not None
    held.visit.cancel()
    held.visit.closed(endpoint)
    held.visit.opened(endpoint)
    alone.plane.settle()
    assert waiting.waits
    held.end()
    alone.plane.settle()
    assert waiting.endpoint == endpoint


def test_places_are_the_daemons(pair: Crew) -> None:
    one, two = pair.workers
    filled(one)
    assert two.ask().waits
    assert pair.active() == [1, 1]


def test_the_one_that_has_waited_longest_is_next_whichever_its_worker(pair: Crew) -> None:
    one, two = pair.workers
    held = filled(one)
    pair.pass_time(0.25)
    early = two.ask()
    pair.pass_time(0.25)
    late = one.ask()
    held[0].end()
    one.plane.settle()
    assert late.waits
    two.hall._on_ring()
    assert early.endpoint is not None
    held[1].end()
    pair.settle()
    assert late.endpoint is not None


def test_who_comes_later_waits_behind_those_of_other_workers(pair: Crew) -> None:
    one, two = pair.workers
    held = filled(one)
    early = two.ask()
    pair.pass_time(0.25)
    held[0].end()
    newcomer = one.ask()
    assert newcomer.waits
    pair.pass_time(0.25)
    assert (early.waits, newcomer.waits) in ((False, True), (True, False))


def test_a_worker_that_does_not_take_its_turn_is_not_waited_for(pair: Crew) -> None:
    one, two = pair.workers
    held = filled(one)
    two.ask()
    pair.pass_time(0.25)
    late = one.ask()
    held[0].end()
    one.plane.settle()
    assert late.waits
    one.plane.pass_time(0.5)
    assert late.endpoint is not None


def test_a_killed_workers_places_are_free_again(pair: Crew) -> None:
    one, two = pair.workers
    filled(one)
    waiting = two.ask()
    pair.kill(0)
    two.plane.pass_time(0.5)
    assert waiting.endpoint is not None
    assert sum(pair.active()) == 1
