"""The base image of the compose test: Debian by debootstrap, with this machine's certificates.

No registry of images is asked. The Debian tree takes a minute to make and is kept, as a tar
archive, in `$XDG_CACHE_HOME/podway`. Only root can make one; for others, with an engine that
they may use, the base is the one that the Dockerfile names.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

from compose_engine import Engine, run

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
FOR_PIP = ("PIP_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT")
"""Settings of this machine's pip that the build needs as well."""
NOT_KEPT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale")
USUAL = "python:3.11-slim-bookworm"
SLOW = 600.0


class Images:
    """The names of the base and of podway's image, of this run alone."""

    def __init__(self) -> None:
        mark = random.randrange(10**6)
        self.base, self.podway = f"podway-test-base:{mark}", f"podway-test:{mark}"


def build_base(engine: Engine, name: str) -> None:
    """Make the base image `name`."""
    if os.geteuid() == 0:
        with _archive().open("rb") as file:
            engine.docker("import", "-", f"{name}-debian", stdin=file, seconds=SLOW)
    else:
        engine.docker("pull", USUAL, seconds=SLOW)
        engine.docker("tag", USUAL, f"{name}-debian")
    with tempfile.TemporaryDirectory(prefix="podway-base-") as place:
        context = Path(place)
        shutil.copy(CERTIFICATES, context / "ca.crt")
        settings = {"PIP_CERT": str(CERTIFICATES), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        settings |= {key: os.environ[key] for key in FOR_PIP if key in os.environ}
        lines = [f"FROM {name}-debian", f"COPY ca.crt {CERTIFICATES}"]
        lines += [f'ENV {key}="{text}"' for key, text in settings.items()]
        (context / "Dockerfile").write_text("\n".join(lines) + "\n")
        engine.docker("build", "--quiet", "--tag", name, place, seconds=SLOW)


def _archive() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "podway"
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / f"base-{SUITE}.tar"
    if not archive.exists():
        with tempfile.TemporaryDirectory(prefix="podway-debian-") as place:
            _debootstrap(Path(place) / "root")
            made = archive.with_suffix(f".{os.getpid()}")
            run(["tar", "-C", f"{place}/root", "-cf", str(made), "."], seconds=SLOW)
            made.replace(archive)
    return archive


def _debootstrap(root: Path) -> None:
    assert shutil.which("debootstrap"), "no debootstrap: sudo apt-get install debootstrap"
    options = ["--variant=minbase", f"--include={PACKAGES}"]
    done = subprocess.run(
        ["debootstrap", *options, SUITE, str(root), MIRROR],
        capture_output=True,
        text=True,
        timeout=SLOW,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for part in NOT_KEPT:
        shutil.rmtree(root / part)
        (root / part).mkdir()
