from __future__ import annotations

import asyncio
import os

from plane_rig import until

from podway_proxy import Plane
from podway_proxy.limiting.bell import Bell, create


async def test_every_ring_wakes_all_who_listen_and_nobody_else() -> None:
    fd, rung = create(), [0, 0, 0]
    planes = [Plane() for _ in rung]
    bells = []
    for place, plane in enumerate(planes):
        plane.attach(asyncio.get_running_loop())

        def ring(place: int = place) -> None:
            rung[place] += 1

        bells.append(Bell(plane, fd, ring))
    bells[0].ring()
    for bell in bells[:2]:
        bell.listen()
    await until(lambda: rung == [1, 1, 0], "a ring from before is heard once")
    for count in range(2, 5):
        bells[2].ring()
        await until(lambda count=count: rung == [count, count, 0], "both are woken")
    bells[0].rest()
    bells[0].ring()
    await until(lambda: rung == [4, 5, 0], "one has gone")
    for plane in planes:
        plane.detach()
    os.close(fd)


def test_a_bell_that_nobody_shares_is_silent() -> None:
    bell = Bell(Plane(), -1, lambda: None)
    bell.listen()
    bell.ring()
    bell.rest()
