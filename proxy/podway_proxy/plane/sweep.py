"""Deadlines that nearly always move on before they are due: looked at all together, now and then.

A deadline filed on the wheel for each connection costs it 2 us; one look at a thousand connections
every half minute costs nothing that could be measured.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Protocol

from podway_proxy.plane.wheel import TICK, Timed

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane


MARGIN: Final = 2 * TICK
"""The wheel is late by up to a tick; what is due until then must have been filed by then."""


class Swept(Timed, Protocol):
    """What a sweep looks after."""

    filed: bool
    """It has a deadline on the plane's wheel."""

    @property
    def until(self) -> float:
        """When it is due, unless that moves on before; inf: never."""


class Sweep:
    """Files a member's deadline on the plane's wheel when it is due before the next sweep.

    A member's `until` may move on at any time. It may come nearer only to a time that is at least
    `period` seconds away, or the plane's fin_timeout where that is shorter (it may change). Who
    joins `members` with an `until` that is not after `next` calls `joined`; who leaves while
    `filed` cancels its deadline.
    """

    __slots__ = ("_members", "_period", "_plane", "next")

    def __init__(self, plane: Plane, members: Collection[Swept], period: float) -> None:
        self._plane = plane
        self._members = members
        self._period = period
        self.next = math.inf
        """The next sweep comes before that; inf while there are no members."""

    def joined(self, member: Swept) -> None:
        """Begin to sweep, and file a member that is due before the next time."""
        if self.next == math.inf:
            self._again()
        self.file(member)

    def file(self, member: Swept) -> None:
        """Set the deadline of a member that is due before the next time."""
        until = member.until
        if until <= self.next:
            member.filed = True
            self._plane.deadline(member, until)

    def on_deadline(self) -> None:
        """Look at all members, and again after the period while there are any."""
        if self._members:
            self._again()
            for member in self._members:
                self.file(member)
        else:
            self.next = math.inf

    def _again(self) -> None:
        self.next = self._plane.now + min(self._period, self._plane.limits.fin_timeout)
        self._plane.deadline(self, self.next - MARGIN)
