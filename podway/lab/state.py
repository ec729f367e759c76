"""What a running lab leaves in its state directory, so that `podway trace` finds it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from podway.lab.ports import Ports

FILE = "lab.json"


class Running(NamedTuple):
    """A lab that runs, or ran and was killed."""

    pid: int
    dns: tuple[str, int]
    ports: Ports
    manifests: tuple[Path, ...]


def default_directory() -> Path:
    """Give `$XDG_STATE_HOME/podway`, by default `~/.local/state/podway`."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "podway"


def save(directory: Path, running: Running) -> None:
    """Write the file. Raises OSError when the directory can't be made or written."""
    directory.mkdir(parents=True, exist_ok=True)
    content = {
        "pid": running.pid,
        "dns": list(running.dns),
        "ports": list(running.ports),
        "manifests": [str(path.resolve()) for path in running.manifests],
    }
    temporary = directory / (FILE + ".new")
    temporary.write_text(json.dumps(content) + "\n")
    temporary.replace(directory / FILE)


def load(directory: Path) -> Running | None:
    """Give the lab that runs with this state directory; None when none does."""
    try:
        content = json.loads((directory / FILE).read_text())
        running = Running(
            pid=int(content["pid"]),
            dns=(str(content["dns"][0]), int(content["dns"][1])),
            ports=Ports(*(int(port) for port in content["ports"])),
            manifests=tuple(Path(path) for path in content["manifests"]),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None  # no file, or none of ours: no lab
    return running if Path(f"/proc/{running.pid}").exists() else None


def forget(directory: Path) -> None:
    """Remove the file of a lab that has stopped."""
    (directory / FILE).unlink(missing_ok=True)


def manifests(given: Sequence[str]) -> tuple[Path, ...]:
    """Give the directories to read: `given`, else `manifests/apps` and `manifests/lab`.

    `$PODWAY_MANIFESTS` (separated by commas, as the daemons take it) counts as given. The others
    are looked for in the current directory, then beside the source. Raises FileNotFoundError with
    a message for the user.
    """
    given = given or [part for part in os.environ.get("PODWAY_MANIFESTS", "").split(",") if part]
    if given:
        return _existing(tuple(Path(each) for each in given))
    for base in (Path(), Path(__file__).resolve().parents[2]):
        found = (base / "manifests" / "apps", base / "manifests" / "lab")
        if all(path.is_dir() for path in found):
            return found
    raise FileNotFoundError(
        "no manifests/apps and manifests/lab here: go to a checkout of podway, "
        "or say --manifests DIR for each directory with objects"
    )


def _existing(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    for path in paths:
        if not path.is_dir():
            raise FileNotFoundError(f"--manifests {path}: no such directory")
    return paths
