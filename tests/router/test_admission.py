from __future__ import annotations

import itertools

import pytest

from podway_router.admission import Claim, Condition, Policy, admit

STRICT = Policy()
SHARED = Policy(strict=False)
WILD = Policy(wildcards=True)


def claim(
    key: str, host: str, age: int, path: str = "/", termination: str = "", wildcard: bool = False
) -> Claim:
    namespace, _, name = key.partition("/")
    return Claim((namespace, name), host, path, termination, wildcard, ("", age, ""))


def refused(claims: list[Claim], policy: Policy = STRICT) -> dict[str, Condition]:
    conditions = admit(claims, policy)
    return {"/".join(key): one for key, one in conditions.items() if not one.admitted}


def test_the_oldest_wins_and_its_namespace_owns_the_host() -> None:
    older = claim("shop/web", "w.test", 1)
    newer = claim("other/web", "w.test", 2, "/elsewhere")
    for order in ([older, newer], [newer, older]):
        result = refused(order)
        assert list(result) == ["other/web"]
        assert result["other/web"].reason == "HostAlreadyClaimed"
        assert "shop/web" in result["other/web"].message


def test_other_paths_of_the_own_namespace_are_fine() -> None:
    assert not refused([claim("a/1", "w.test", 1), claim("a/2", "w.test", 2, "/x")])


def test_the_same_host_and_path_is_refused_within_a_namespace() -> None:
    result = refused([claim("a/1", "w.test", 1, "/x"), claim("a/2", "w.test", 2, "/x")])
    assert list(result) == ["a/2"]
    assert "with path /x" in result["a/2"].message


def test_taking_the_oldest_away_promotes_the_next() -> None:
    claims = [claim(f"{ns}/web", "w.test", age) for age, ns in enumerate("abc")]
    for gone in range(3):
        rest = claims[gone:]
        assert set(refused(rest)) == {f"{one.key[0]}/web" for one in rest[1:]}


def test_inter_namespace_allowed_keeps_host_and_path_unique() -> None:
    claims = [
        claim("a/1", "w.test", 1),
        claim("b/1", "w.test", 2, "/x"),
        claim("c/1", "w.test", 3, "/x"),
    ]
    assert set(refused(claims, SHARED)) == {"c/1"}


def test_a_refused_claim_stands_against_nobody() -> None:
    claims = [
        claim("a/1", "w.test", 1),
        claim("b/1", "w.test", 2, "/x"),
        claim("a/2", "w.test", 3, "/x"),
    ]
    assert set(refused(claims)) == {"b/1"}


@pytest.mark.parametrize("terminated", ["edge", "reencrypt"])
def test_passthrough_and_termination_exclude_each_other_on_a_host(terminated: str) -> None:
    edge = claim("a/1", "w.test", 1, "/x", terminated)
    through = claim("a/2", "w.test", 2, "/", "passthrough")
    assert set(refused([edge, through])) == {"a/2"}
    swapped = [edge._replace(age=("", 3, "")), through]
    assert set(refused(swapped)) == {"a/1"}


def test_plain_http_may_stand_beside_passthrough_unless_the_paths_are_equal() -> None:
    through = claim("a/2", "w.test", 1, "/", "passthrough")
    assert not refused([through, claim("a/1", "w.test", 2, "/x")])
    assert set(refused([through, claim("a/1", "w.test", 2)])) == {"a/1"}


def test_wildcards_need_the_controllers_leave() -> None:
    result = refused([claim("a/1", "w.shop.test", 1, wildcard=True)])
    assert result["a/1"].reason == "RouteNotAdmitted"
    assert "WildcardsDisallowed" in result["a/1"].message


def test_a_wildcard_owns_the_hosts_below_it_but_not_the_apex_or_deeper() -> None:
    wild = claim("a/wild", "w.shop.test", 1, wildcard=True)
    rest = [
        claim("b/below", "x.shop.test", 2),
        claim("b/apex", "shop.test", 2),
        claim("b/deep", "x.y.shop.test", 2),
        claim("a/own", "z.shop.test", 2),
    ]
    assert set(refused([wild, *rest], WILD)) == {"b/below"}


def test_an_older_host_below_it_stands_against_a_foreign_wildcard() -> None:
    claims = [
        claim("a/own", "z.shop.test", 1),
        claim("b/below", "x.shop.test", 2),
        claim("a/wild", "w.shop.test", 3, wildcard=True),
    ]
    assert set(refused(claims, WILD)) == {"a/wild"}


def test_equal_ages_are_told_apart_by_name() -> None:
    claims = [claim("b/1", "w.test", 1), claim("a/1", "w.test", 1), claim("c/1", "w.test", 1)]
    for order in itertools.permutations(claims):
        assert set(refused(list(order))) == {"b/1", "c/1"}
