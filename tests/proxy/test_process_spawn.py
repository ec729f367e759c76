"""The environment that a child gets."""

from __future__ import annotations

import pytest

from podway_proxy.process.spawn import environment

TRIM = "MALLOC_TRIM_THRESHOLD_"


def test_a_loader_gives_back_memory_and_nobody_else_is_tuned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(TRIM, raising=False)
    assert environment("loader")[TRIM] == "131072"
    assert TRIM not in environment("worker")


def test_what_the_operator_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRIM, "1")
    assert environment("loader")[TRIM] == "1"
