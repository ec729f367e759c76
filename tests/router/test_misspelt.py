from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from podway_router.misspelt import KNOWN, warnings
from podway_router.wishes import read

README = Path(__file__).parents[2] / "router" / "README.md"
H = "haproxy.router.openshift.io/"


class Asked(Mapping[str, str]):
    """Annotations that are not there, and which of them were asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([H + "balance"])

    def __len__(self) -> int:
        return 1


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


def test_the_readme_shows_each_at_once() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    shown = [(yaml.safe_load(each).get("metadata") or {}).get("annotations") for each in blocks]
    assert any(set(each or ()) == KNOWN - {H + "ip_whitelist"} for each in shown)
