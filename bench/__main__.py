"""`make bench`: podway beside its peers."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, report, run, summary
from bench.peers import PEERS_VENV, ROOT, installed
from bench.rows import FULL, QUICK, ROWS, TINY

RESULTS = ROOT / "bench" / "results"


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    names = ", ".join(row.name for row in ROWS)
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure podway beside its peers, one worker or thread each."
    )
    parser.add_argument("--quick", action="store_true", help="less work; leaves README.md alone")
    parser.add_argument("--tiny", action="store_true", help="next to no work: tests the plumbing")
    parser.add_argument("--rounds", type=int, help="how often everything is measured")
    parser.add_argument("--only", default="", metavar="ROW,…", help=f"these rows of: {names}")
    parser.add_argument(
        "--peers", default="", metavar="NAME,…", help="these peers (part of a name)"
    )
    parser.add_argument("--out", type=Path, help="folder for the results")
    parser.add_argument("--venv", type=Path, default=PEERS_VENV, help="where PyPI's peers are")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Measure and write the results."""
    options = parse(arguments)
    scale = TINY if options.tiny else QUICK if options.quick else FULL
    if options.rounds:
        scale = scale._replace(rounds=options.rounds, idle_rounds=options.rounds)
    rows = [row for row in ROWS if not options.only or row.name in options.only.split(",")]
    wanted = [part.lower() for part in options.peers.split(",") if part]
    peers = [
        peer
        for peer in installed(options.venv, machine.user())
        if not wanted or any(part in peer.name.lower() for part in wanted)
    ]
    partial = bool(options.quick or options.tiny or options.only or wanted)
    folder = options.out or (RESULTS / "partial" if partial else RESULTS)
    samples = run.measure(peers, rows, scale, lambda line: print(line, flush=True))
    versions = {peer.name: peer.version for peer in peers}
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    result = summary.document(samples, rows, versions, machine.describe(), scale, date)
    report.write(result, folder, None if partial else ROOT / "README.md")
    print(report.text(result))
    print(f"\nwritten to {folder}")


if __name__ == "__main__":
    # SIGTERM ends us as Ctrl-C does, so that every server is ended with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
