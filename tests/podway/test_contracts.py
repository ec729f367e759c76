"""The import contracts are about modules that exist, and hold for the running interpreter too."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]
FORBIDDEN = [
    (module, tuple(contract["forbidden_modules"]))
    for contract in CONTRACTS
    if contract["type"] == "forbidden"
    for module in contract["source_modules"]
]
LEAN = ("asyncio", "yaml", "ssl", "cryptography", "rich", "logging", "podway_cluster", "uvloop")


def imported_by(module: str) -> set[str]:
    """Every module that a fresh interpreter has imported after `import module`."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    lines = (line for line in run.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}


def reached(modules: set[str], forbidden: tuple[str, ...]) -> list[str]:
    return sorted(
        module
        for module in modules
        for name in forbidden
        if module == name or module.startswith(name + ".")
    )


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["name"])
def test_every_module_of_a_contract_exists(contract: dict[str, list[str]]) -> None:
    layers = [name for layer in contract.get("layers", []) for name in layer.split(" | ")]
    for module in contract.get("source_modules", []) + layers:
        assert importlib.util.find_spec(module) is not None, module


@pytest.mark.parametrize(("module", "forbidden"), FORBIDDEN, ids=lambda value: str(value)[:40])
def test_the_interpreter_imports_nothing_forbidden(module: str, forbidden: tuple[str, ...]) -> None:
    # The pure core may not import time or socket itself; the interpreter's own start may have.
    at_start = imported_by("sys")
    # So may dnslib: its records turn addresses into text with socket.
    others = imported_by("json, re, struct, typing, ipaddress, dataclasses, random, bisect, dnslib")
    assert reached(imported_by(module) - at_start - others, forbidden) == []


@pytest.mark.parametrize("module", ["podway.pods.__main__", "podway.command"])
def test_what_the_first_second_is_made_of_stays_lean(module: str) -> None:
    assert reached(imported_by(module), LEAN) == []


def test_up_imports_neither_rich_nor_asyncio() -> None:
    lean = tuple(name for name in LEAN if name not in ("yaml", "podway_cluster"))
    assert reached(imported_by("podway.lab.up"), lean) == []
