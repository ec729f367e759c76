from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "podway",
    "podway_cluster",
    "podway_dns",
    "podway_lb",
    "podway_proxy",
    "podway_router",
}
SCRIPTS = {"podway", "podway-dns", "podway-lb", "podway-router"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (file,) = out.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        yield archive


def test_only_our_packages_are_in_it(wheel: zipfile.ZipFile) -> None:
    top = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == PACKAGES


def test_every_module_is_in_it(wheel: zipfile.ZipFile) -> None:
    parts = (ROOT / part for part in ("proxy", "cluster", "dns", "lb", "router", "."))
    ours = {
        file.relative_to(part).as_posix()
        for part in parts
        for package in PACKAGES
        for file in (part / package).rglob("*.py")
    }
    assert {name for name in wheel.namelist() if name.endswith(".py")} == ours


def test_each_package_is_typed(wheel: zipfile.ZipFile) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(wheel.namelist())


def test_it_has_the_commands_and_the_licence(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    lines = wheel.read(entry_points).decode().splitlines()
    assert {line.partition(" = ")[0] for line in lines if " = " in line} == SCRIPTS
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
