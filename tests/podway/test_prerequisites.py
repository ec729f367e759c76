from __future__ import annotations

from pathlib import Path

import prerequisites

ROOT = Path(__file__).resolve().parents[2]


def test_a_missing_program_is_named_with_the_command_that_installs_it() -> None:
    missing = prerequisites.lacking({"no-such-program": "its-package", "sh": "dash"})
    assert missing == {"no-such-program": "its-package"}
    assert "apt-get install its-package" in prerequisites.message(missing)


def test_ci_installs_every_package() -> None:
    installed = set((ROOT / ".ci" / "apt-packages").read_text().split())
    assert set(prerequisites.PROGRAMS.values()) <= installed
