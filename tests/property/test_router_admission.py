"""Admission against its definition, tried out pair by pair, in any order of the input."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from router_claims import claims

from podway_router.admission import Claim, Policy, admit


def covers(wide: Claim, host: Claim) -> bool:
    return (
        wide.wildcard
        and not host.wildcard
        and wide.holds[1:] == "." + ".".join(host.host.split(".")[1:])
    )


def stand_against(one: Claim, two: Claim, strict: bool) -> bool:
    common = one.holds == two.holds or covers(one, two) or covers(two, one)
    if strict and common and one.key[0] != two.key[0]:
        return True
    if one.holds != two.holds:
        return False
    kinds = {one.termination, two.termination}
    return one.path == two.path or ("passthrough" in kinds and bool(kinds & {"edge", "reencrypt"}))


def brute_force(some: list[Claim], policy: Policy) -> set[tuple[str, str]]:
    admitted: list[Claim] = []
    for one in sorted(some, key=lambda claim: (claim.age, claim.key)):
        allowed = policy.wildcards or not one.wildcard
        if allowed and not any(stand_against(one, two, policy.strict) for two in admitted):
            admitted.append(one)
    return {one.key for one in admitted}


@settings(max_examples=300, deadline=None)
@given(claims(), st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_as_its_definition_says_in_any_order(
    some: list[Claim], strict: bool, wildcards: bool, random: Random
) -> None:
    policy = Policy(strict, wildcards)
    expected = brute_force(some, policy)
    random.shuffle(some)
    found = admit(some, policy)
    assert {key for key, condition in found.items() if condition.admitted} == expected
    assert set(found) == {one.key for one in some}
    assert all(condition.reason for condition in found.values() if not condition.admitted)


@settings(max_examples=100, deadline=None)
@given(claims(), st.booleans())
def test_a_newer_claim_never_changes_what_is_admitted(some: list[Claim], strict: bool) -> None:
    policy = Policy(strict, wildcards=True)
    before = {key for key, condition in admit(some, policy).items() if condition.admitted}
    newest = Claim(("n", "newest"), "a.x", age=("9999", 99, ""))
    after = {key for key, condition in admit([*some, newest], policy).items() if condition.admitted}
    assert after - {newest.key} == before
