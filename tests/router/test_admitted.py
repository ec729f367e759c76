from __future__ import annotations

from podway_router.admission import Claim, Policy
from podway_router.admitted import Admitted, readmit

STRICT = Policy(strict=True, wildcards=True)


def age(n: int) -> tuple[int]:
    return (n,)


OLD = Claim(("a", "old"), "h.t", age=age(1))
NEW = Claim(("b", "new"), "h.t", age=age(2))
OTHER = Claim(("c", "other"), "o.t", age=age(3))


def test_only_what_a_change_touches_is_said_to_differ() -> None:
    first, differing = readmit(Admitted(), (), [OLD, NEW, OTHER], STRICT)
    assert differing == {OLD.key, NEW.key, OTHER.key}
    assert not first.conditions[NEW.key].admitted
    second, differing = readmit(first, {OLD.key}, [], STRICT)
    assert differing == {NEW.key}
    assert second.conditions[NEW.key].admitted
    assert first.conditions[OLD.key].admitted


def test_a_wildcard_that_goes_frees_the_hosts_below() -> None:
    wide = Claim(("a", "wide"), "w.t", wildcard=True, age=age(0))
    first, _ = readmit(Admitted(), (), [wide, NEW, OTHER], STRICT)
    assert [first.conditions[one.key].admitted for one in (wide, NEW, OTHER)] == [
        True,
        False,
        False,
    ]
    second, differing = readmit(first, {wide.key}, [], STRICT)
    assert differing == {NEW.key, OTHER.key}
    assert all(found.admitted for found in second.conditions.values())


def test_a_claim_that_moves_leaves_its_old_host_to_the_next() -> None:
    first, _ = readmit(Admitted(), (), [OLD, NEW, OTHER], STRICT)
    moved = OLD._replace(host="elsewhere.t")
    second, differing = readmit(first, {OLD.key}, [moved], STRICT)
    assert differing == {NEW.key}
    assert second.by_name == {
        "h.t": (NEW.key,),
        "o.t": (OTHER.key,),
        "elsewhere.t": (OLD.key,),
    }
