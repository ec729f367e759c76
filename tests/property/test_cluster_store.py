"""A store after any history of changes holds what a model of its promises says."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from podway_cluster import load
from podway_cluster.store import Store

_FILES = st.sampled_from(["a.yaml", "b.yaml", "c/d.yaml"])
_NAMES = st.sampled_from(["x", "y", "z"])
_LONG_AGO = 1_700_000_000


def _route(name: str, number: int, *, good: bool = True) -> str:
    host = f"{'h' if good else 'H'}{number}.test"
    return (
        "apiVersion: route.openshift.io/v1\nkind: Route\n"
        f"metadata: {{name: {name}}}\nspec: {{host: {host}, to: {{name: s}}}}\n"
    )


class StoreMachine(RuleBasedStateMachine):
    """Files are written, broken, removed; the store is scanned, or replaced through `held`.

    A second store is told the paths that changed, as the kernel's events would: it must hold the
    same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="podway-store-"))
        self.store, self.told = Store([self.root]), Store([self.root])
        self.paths: set[str] = set()
        self.clock = _LONG_AGO
        self.good: dict[str, dict[str, str]] = {}
        """File -> Route -> host, for files in which all is good."""

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def _write(self, file: str, text: str) -> None:
        path = self.root / file
        if not path.parent.exists():
            path.parent.mkdir()
            self.paths.add(str(path.parent))
        self.paths.add(str(path))
        path.write_text(text)
        self.clock += 1
        os.utime(path, (self.clock, self.clock))

    @rule(file=_FILES, names=st.sets(_NAMES))
    def write(self, file: str, names: set[str]) -> None:
        ordered = sorted(names)
        self.good[file] = {}
        parts = []
        for name in ordered:
            self.clock += 1
            parts.append(_route(name, self.clock))
            self.good[file][name] = f"h{self.clock}.test"
        self._write(file, "---\n".join(parts) or "# none\n")

    @rule(file=_FILES, name=_NAMES)
    def write_bad(self, file: str, name: str) -> None:
        self.good.pop(file, None)
        self.clock += 1
        self._write(file, _route(name, self.clock, good=False))

    @rule(file=_FILES)
    def break_off(self, file: str) -> None:
        self.good.pop(file, None)
        self._write(file, "x: [\n")

    @rule(file=_FILES)
    def remove(self, file: str) -> None:
        self.good.pop(file, None)
        self.paths.add(str(self.root / file))
        (self.root / file).unlink(missing_ok=True)

    @rule(file=_FILES)
    def link(self, file: str) -> None:
        if not (self.root / "link.yaml").is_symlink():
            self.paths.add(str(self.root / "link.yaml"))
            (self.root / "link.yaml").symlink_to(file)

    @rule(file=_FILES)
    def leave_something_beside(self, file: str) -> None:
        for name in ("4913", ".a.yaml.swp"):
            self.paths.add(str(self.root / name))
            (self.root / name).write_text("no object")

    @rule()
    def replace_the_loader(self) -> None:
        self.store.rescan()
        before = self._hosts()
        self.store = Store([self.root], self.store.held())
        self.store.rescan()
        assert self._hosts() == before
        self.told = Store([self.root], self.told.held())
        self.told.rescan()

    def _hosts(self) -> dict[str, str]:
        return {name: each.host for (_, name), each in self.store.snapshot.routes.items()}

    def _problems(self) -> list[str]:
        return sorted(map(str, self.store.snapshot.problems))

    @invariant()
    def holds_what_it_promises(self) -> None:
        before = self._hosts()
        self.store.rescan()
        self.told.reread(self.paths)
        self.paths.clear()
        same = self.store.snapshot._replace(version=0)
        assert self.told.snapshot._replace(version=0) == same
        hosts = self._hosts()
        fresh = {name: r.host for (_, name), r in load([self.root]).routes.items()}
        files = {str(each.relative_to(self.root)) for each in self.root.rglob("*.yaml")}
        if files == self.good.keys():
            assert hosts == fresh
            assert "in force" not in " ".join(self._problems())
        for name, host in fresh.items():
            assert hosts.get(name) in (host, before.get(name))
        for name, host in hosts.items():
            assert host in (fresh.get(name), before.get(name))
        assert all(each.file and each.line for each in self.store.snapshot.problems)


StoreMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)
TestStore = StoreMachine.TestCase
