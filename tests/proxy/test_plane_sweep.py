from __future__ import annotations

import math

from podway_proxy import Plane
from podway_proxy.plane.sweep import Sweep
from podway_proxy.plane.wheel import TICK

PERIOD = 30.0


class Member:
    """Notes when it is told that it is due, and goes on if that has moved."""

    def __init__(self, scene: Scene, until: float) -> None:
        self.filed = False
        self.until = until
        self.ended = math.inf
        self._scene = scene

    def on_deadline(self) -> None:
        self.filed = False
        plane = self._scene.plane
        if self.until <= plane.now:
            self.ended = plane.now
            self._scene.members.discard(self)
        else:
            self._scene.sweep.file(self)


class Scene:
    """A plane whose clock is turned by hand."""

    def __init__(self) -> None:
        self.plane = Plane()
        self.members: set[Member] = set()
        self.sweep = Sweep(self.plane, self.members, PERIOD)

    def join(self, until: float) -> Member:
        member = Member(self, until)
        self.members.add(member)
        if member.until <= self.sweep.next:
            self.sweep.joined(member)
        return member

    def turn(self, seconds: float) -> None:
        end = self.plane.now + seconds
        while self.plane.now < end:
            self.plane.now += TICK
            for timed in self.plane._wheel.due(self.plane.now):
                timed.on_deadline()


def test_members_are_due_to_the_tick_however_near_or_far() -> None:
    scene = Scene()
    ends = [scene.plane.now + after for after in (0.3, 7.1, 29.9, 30.0, 31.0, 59.9, 75.5, 3_600.0)]
    members = [scene.join(end) for end in ends]
    scene.turn(3_601.0)
    for member, end in zip(members, ends, strict=True):
        assert end <= member.ended < end + 2 * TICK
    assert not scene.members


def test_a_member_that_moves_on_is_not_ended() -> None:
    scene = Scene()
    member = scene.join(scene.plane.now + 40.0)
    for _ in range(20):
        scene.turn(10.0)
        member.until = scene.plane.now + 40.0
    assert member.ended == math.inf
    scene.turn(41.0)
    assert member.ended <= scene.plane.now


def test_a_deadline_that_comes_nearer_by_a_period_at_least_is_kept() -> None:
    scene = Scene()
    member = scene.join(scene.plane.now + 3_600.0)
    for after in (0.0, 3.7, 29.8, 45.0):
        scene.turn(after)
        member.until = end = scene.plane.now + PERIOD
        scene.turn(PERIOD - 1.0)
        assert member.ended == math.inf
        member.until = scene.plane.now + 3_600.0
    member.until = end = scene.plane.now + PERIOD
    scene.turn(PERIOD + 1.0)
    assert end <= member.ended < end + 2 * TICK


def test_without_members_nothing_is_filed() -> None:
    scene = Scene()
    member = scene.join(scene.plane.now + 5.0)
    scene.turn(60.0)
    assert member.ended < scene.plane.now
    assert scene.sweep.next == math.inf
    assert len(scene.plane._wheel) == 0
    later = scene.join(scene.plane.now + 45.0)
    scene.turn(46.0)
    assert later.ended <= scene.plane.now
