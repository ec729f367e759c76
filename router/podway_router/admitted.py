"""Admission kept up to date: after a change only those claims are decided anew that it can touch.

Two claims can only stand against each other when they have a name in common: the same host, or a
wildcard and a host under it. So a change concerns the claims on the same name, and where there is
a wildcard, all claims under its parent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from podway_router.admission import Claim, Condition, Key, Policy, admit
from podway_router.hosts import wildcard_of

_NONE: Mapping[Any, Any] = MappingProxyType({})


class Admitted(NamedTuple):
    """All claims on one controller, and what became of each."""

    claims: Mapping[Key, Claim] = _NONE
    conditions: Mapping[Key, Condition] = _NONE
    by_name: Mapping[str, tuple[Key, ...]] = _NONE
    """The claims by what they hold: a host, or `*.<parent>`."""


def readmit(
    before: Admitted, gone: Collection[Key], come: Iterable[Claim], policy: Policy
) -> tuple[Admitted, set[Key]]:
    """Take claims away and put others in their place; give what is in force, and what differs.

    The result is the one that `admit` of all claims would give.
    """
    new = list(come)
    old = [before.claims[key] for key in gone if key in before.claims]
    claims = {key: claim for key, claim in before.claims.items() if key not in gone}
    claims.update((claim.key, claim) for claim in new)
    by_name = _indexed(before.by_name, old, new)
    touched = _touched(claims, by_name, before.by_name, (*old, *new))
    fresh = admit((claims[key] for key in touched), policy)
    differing = {key for key, found in fresh.items() if before.conditions.get(key) != found}
    conditions = {key: found for key, found in before.conditions.items() if key not in gone}
    conditions.update(fresh)
    return Admitted(claims, conditions, by_name), differing


def _indexed(
    before: Mapping[str, tuple[Key, ...]], old: Iterable[Claim], new: Iterable[Claim]
) -> dict[str, tuple[Key, ...]]:
    by_name = dict(before)
    for claim in old:
        left = tuple(key for key in by_name[claim.holds] if key != claim.key)
        if left:
            by_name[claim.holds] = left
        else:
            del by_name[claim.holds]
    for claim in new:
        by_name[claim.holds] = (*by_name.get(claim.holds, ()), claim.key)
    return by_name


def _touched(
    claims: Mapping[Key, Claim],
    by_name: Mapping[str, tuple[Key, ...]],
    by_name_before: Mapping[str, tuple[Key, ...]],
    changed: Iterable[Claim],
) -> set[Key]:
    names: set[str] = set()
    families: set[str] = set()
    for claim in changed:
        family = wildcard_of(claim.host)
        names.add(claim.holds)
        if family in by_name or family in by_name_before:
            families.add(family)
    touched = {key for name in names for key in by_name.get(name, ())}
    if families:
        touched.update(key for key, claim in claims.items() if wildcard_of(claim.host) in families)
    return touched
