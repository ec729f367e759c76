"""Says which programs the tests need and this machine lacks, with the command that installs them.

`make test` runs it first, with the system's Python; it needs nothing but the standard library.
"""

from __future__ import annotations

import glob
import os
import shutil
import sys

SYSTEM_PATH = ("/usr/sbin", "/sbin")
"""Where Debian puts daemons, and where a user's PATH does not look."""

PROGRAMS = {
    "curl": "curl",
    "dig": "dnsutils",
    "openssl": "openssl",
    "redis-server": "redis-server",
    "redis-cli": "redis-tools",
    "psql": "postgresql",
    "/usr/lib/postgresql/*/bin/postgres": "postgresql",
    "haproxy": "haproxy",
    "nginx": "nginx-light",
    "/usr/lib/nginx/modules/ngx_stream_module.so": "libnginx-mod-stream",
    "ps": "procps",
    "nsd": "nsd",
    "knotd": "knot",
    "kdig": "knot-dnsutils",
    "dnsperf": "dnsperf",
    "slowhttptest": "slowhttptest",
    "wrk": "wrk",
}
"""Program, or pattern of its path -> the Debian package that has it."""


def lacking(programs: dict[str, str]) -> dict[str, str]:
    """Give those of the programs that are not there."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_PATH))
    return {
        program: package
        for program, package in programs.items()
        if not (glob.glob(program) if "/" in program else shutil.which(program, path=path))
    }


def message(missing: dict[str, str]) -> str:
    """Name what is missing and how to get it."""
    packages = " ".join(sorted(set(missing.values())))
    return (
        f"the tests need {', '.join(missing)}; on Debian 12: sudo apt-get install {packages}\n"
        "(.ci/run installs everything and runs the tests)\n"
    )


def main() -> int:
    """Print what is missing; 1 if anything is."""
    missing = lacking(PROGRAMS)
    if missing:
        sys.stderr.write(message(missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
