"""Finding programs and what version they say they are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

PATIENCE = 30
"""Seconds that a program may take to say its version."""


def find(name: str, *elsewhere: Path) -> str | None:
    """Give a program's path: of `elsewhere` where that exists, else on PATH or in sbin."""
    for path in elsewhere:
        if os.access(path, os.X_OK):
            return str(path)
    path_ = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    return None if elsewhere else shutil.which(name, path=path_)


def version(*command: str) -> str:
    """Give the first dotted number in what the command prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else "?"


def in_packages(venv: Path, path: str) -> Path:
    """Give a path below the environment's site-packages, whatever Python made it."""
    return next(venv.glob(f"lib/python*/site-packages/{path}"), venv / "not-installed")
