from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from podway_router.misspelt import KNOWN, warnings
from podway_router.wishes import read

H = "haproxy.router.openshift.io/"


class Asked(Mapping[str, str]):
    """Annotations that are not there, and which of them were asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_all_that_is_read_is_known() -> None:
    asked = Asked()
    read(asked)
    assert asked.names <= KNOWN
    assert not list(warnings(KNOWN))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        (H + "timout", H + "timeout"),
        (H + "timeout_tunnel", H + "timeout-tunnel"),
        (H + "cookie_name", "router.openshift.io/cookie_name"),
        ("router.openshift.io/rewrite-target", H + "rewrite-target"),
        (H + "rate-limit-connections.rate-htpp", H + "rate-limit-connections.rate-http"),
    ],
)
def test_what_is_likely_meant_is_said(name: str, meant: str) -> None:
    (warning,) = warnings([name])
    assert warning == (
        f"metadata.annotations[{name}]: no router knows an annotation of this name: "
        f"is {meant} meant?"
    )


def test_what_is_like_nothing_is_to_go_and_others_annotations_are_theirs() -> None:
    (warning,) = warnings([H + "zzz", "nginx.ingress.kubernetes.io/rewrite-target", "a"])
    assert warning.endswith("remove it")
