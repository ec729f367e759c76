from __future__ import annotations

from limiting_rig import Crew


def test_a_route_keeps_its_places_while_it_is_there_or_in_use() -> None:
    crew = Crew(1, most=1)
    worker = crew.workers[0]
    asking = worker.ask()
    worker.hall.tidy({"shop/web"})
    assert worker.hall.places("shop/web", 1) is worker.places
    worker.hall.tidy(())
    assert worker.hall.places("shop/web", 1) is worker.places
    asking.visit.cancel()
    worker.hall.tidy(())
    assert worker.hall.places("shop/web", 1) is not worker.places
    crew.close()


def test_the_number_and_the_patience_of_now_count() -> None:
    crew = Crew(1, most=1)
    worker = crew.workers[0]
    held = [worker.ask() for _ in range(2)]
    waiting = worker.ask()
    assert waiting.waits
    worker.hall.places("shop/web", 2, patience=1.0)
    worker.plane.pass_time(0.25)
    assert not waiting.waits
    late = [worker.ask() for _ in range(2)]
    worker.plane.pass_time(1.25)
    assert [bool(one.refused) for one in late] == [False, True]
    assert all(one.endpoint for one in held)
    crew.close()


def test_who_waits_is_counted() -> None:
    crew = Crew(1, most=1)
    worker = crew.workers[0]
    counted: list[int] = []
    worker.hall._count = counted.append
    held = [worker.ask() for _ in range(2)]
    line = [worker.ask() for _ in range(3)]
    assert sum(counted) == 3
    line[0].visit.cancel()
    held[0].end()
    worker.plane.settle()
    worker.plane.pass_time(6)
    assert line[2].refused
    assert sum(counted) == 0
    crew.close()
