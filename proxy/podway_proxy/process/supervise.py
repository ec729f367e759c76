"""What the master decides, as pure functions on values: restarts, generations, listeners."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from podway_proxy.process.spec import ListenerSpec

MOST_GENERATIONS: Final = 4
"""Generations of workers alive at once: the newest and three that finish their connections."""
STEADY_SECONDS: Final = 10.0
"""A process that lived for so long died for a reason of its own: it is replaced at once."""
_FIRST_DELAY: Final = 0.2
_LONGEST_DELAY: Final = 5.0
START_ATTEMPTS: Final = 3
"""So often a process of the first generation may die before the daemon gives up."""


class Backoff(NamedTuple):
    """How often a process died young, one after the other."""

    deaths: int = 0

    def died(self, lived: float) -> Backoff:
        """Count a death after `lived` seconds of life."""
        return Backoff(1) if lived >= STEADY_SECONDS else Backoff(self.deaths + 1)

    @property
    def delay(self) -> float:
        """Seconds until the next start: the first is at once, then it doubles, at most 5 s."""
        if self.deaths <= 1:
            return 0.0
        return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(self.deaths - 2, 10))


class Plan(NamedTuple):
    """What has to happen to the bound listeners."""

    close: tuple[str, ...]
    bind: tuple[ListenerSpec, ...]


def plan(wanted: Iterable[Iterable[ListenerSpec]], bound: Mapping[str, ListenerSpec]) -> Plan:
    """Compare what the live generations want with what is bound; the newest generation is last.

    Two specs that differ only in what can be changed on a bound socket are the same listener.
    """
    union = {spec.key: spec for specs in wanted for spec in specs}
    close = tuple(
        key for key, spec in bound.items() if key not in union or not same_socket(spec, union[key])
    )
    bind = tuple(spec for key, spec in union.items() if key not in bound or key in close)
    return Plan(close, bind)


def same_socket(old: ListenerSpec, new: ListenerSpec) -> bool:
    """Tell whether a bound listener can serve for another spec of the same key."""
    return (old.host, old.port, old.transport, old.admin) == (
        new.host,
        new.port,
        new.transport,
        new.admin,
    )


class Handing(NamedTuple):
    """What one process must give up and be given."""

    take: tuple[str, ...]
    give: tuple[ListenerSpec, ...]


def handing(
    wanted: Iterable[ListenerSpec],
    bound: Collection[str],
    given: Mapping[str, ListenerSpec],
    admin: bool,
) -> Handing:
    """Compare what a process has with what it should have: admin listeners, or the others."""
    should = {spec.key: spec for spec in wanted if spec.key in bound and spec.admin == admin}
    take = tuple(key for key, spec in given.items() if should.get(key) != spec)
    give = tuple(spec for key, spec in should.items() if key not in given or key in take)
    return Handing(take, give)


def free_row(rows: int, used: Collection[int], preferred: int) -> int:
    """Choose a row of the counters that no living worker writes to."""
    if preferred < rows and preferred not in used:
        return preferred
    return min(set(range(rows)).difference(used))
