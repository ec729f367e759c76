from __future__ import annotations

from podway_proxy.balance.refusing import HOLD, Refusing
from podway_proxy.values import Endpoint

A, B, C = (Endpoint("127.128.1.1", port, "") for port in (1, 2, 3))


def order(refusing: Refusing, now: float) -> list[Endpoint]:
    return list(refusing.last(iter([A, B, C]), now))


def test_those_that_failed_come_last_in_their_order() -> None:
    refusing = Refusing()
    assert not refusing
    refusing.failed(B, 10.0)
    refusing.failed(A, 10.0)
    assert refusing
    assert order(refusing, 11.0) == [C, A, B]


def test_it_is_over_after_a_while() -> None:
    refusing = Refusing()
    refusing.failed(A, 10.0)
    refusing.failed(B, 12.0)
    assert order(refusing, 10.0 + HOLD) == [A, C, B]
    assert order(refusing, 12.0 + HOLD) == [A, B, C]
    assert not refusing


def test_failing_again_counts_from_then() -> None:
    refusing = Refusing()
    refusing.failed(A, 10.0)
    refusing.failed(A, 12.0)
    assert order(refusing, 11.0 + HOLD) == [B, C, A]


def test_a_single_endpoint_is_tried_all_the_same() -> None:
    refusing = Refusing()
    refusing.failed(A, 10.0)
    assert list(refusing.last(iter([A]), 10.0)) == [A]


def test_nothing_is_taken_before_it_is_needed() -> None:
    refusing = Refusing()
    refusing.failed(A, 10.0)
    candidates = iter([A, B, C])
    assert next(refusing.last(candidates, 10.0)) == B
    assert list(candidates) == [C]
