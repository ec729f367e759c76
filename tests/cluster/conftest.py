from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from podway_cluster.store import Store

_LONG_AGO = 1_700_000_000


class Tree:
    """A directory of manifests and a store that reads it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = Store([root])
        self._clock = _LONG_AGO

    def write(self, name: str, text: str) -> Path:
        """Write a file with a time of its own, long enough ago not to count as being written."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        self._clock += 1
        os.utime(path, (self._clock, self._clock))
        return path

    def route(self, name: str, host: str, file: str = "") -> Path:
        """Write a Route into a file of its own."""
        return self.write(file or f"{name}.yaml", route(name, host))

    def hosts(self) -> dict[str, str]:
        """Scan; give the Routes in force: name -> host."""
        self.store.rescan()
        return {name: each.host for (_, name), each in self.store.snapshot.routes.items()}

    def problems(self) -> list[str]:
        """Give the problems of the last snapshot, paths relative to the directory."""
        return [str(each).replace(f"{self.root}", "ROOT") for each in self.store.snapshot.problems]


def route(name: str, host: str) -> str:
    """Give a Route's text."""
    return (
        "apiVersion: route.openshift.io/v1\nkind: Route\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec: {{host: {host}, to: {{name: a}}}}\n"
    )


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Give an empty directory of manifests."""
    root = tmp_path / "manifests"
    root.mkdir()
    return Tree(root)
