"""`make bench`: podway beside its peers."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, report, run, summary
from bench.peers import PEERS_VENV, ROOT, floor, installed
from bench.peers.peer import Peer
from bench.rows import BULK, FULL, QUICK, ROWS, TINY, Row, Scale

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
    parser.add_argument("--floor", action="store_true", help="beside the least Python; no bulk")
    parser.add_argument("--out", type=Path, help="folder for the results")
    parser.add_argument("--venv", type=Path, default=PEERS_VENV, help="where PyPI's peers are")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Measure and write the results; only a full run of everything touches the README."""
    options = parse(arguments)
    rows, peers, scale = rows_of(options), peers_of(options), scale_of(options)
    partial = len(rows) < len(ROWS) or bool(options.peers) or scale.seconds < FULL.seconds
    folder = options.out or (RESULTS / "partial" if partial else RESULTS)
    samples = run.measure(peers, rows, scale, lambda line: print(line, flush=True))
    versions = {peer.name: peer.version for peer in peers}
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    result = summary.document(samples, rows, versions, machine.describe(), scale, date)
    report.write(result, folder, None if partial else ROOT / "README.md")
    print(report.text(result))
    print(f"\nwritten to {folder}")


def rows_of(options: argparse.Namespace) -> list[Row]:
    """Give the rows that are asked for; the floor has no back-pressure, so no bulk."""
    only = options.only.split(",") if options.only else [row.name for row in ROWS]
    unknown = set(only) - {row.name for row in ROWS}
    if unknown:
        raise SystemExit(f"--only: there is no row {', '.join(sorted(unknown))}; see --help")
    skipped = BULK if options.floor else "-"
    return [row for row in ROWS if row.name in only and not row.name.startswith(skipped)]


def peers_of(options: argparse.Namespace) -> list[Peer]:
    """Give the peers that are asked for and installed."""
    wanted = [part.lower() for part in options.peers.split(",") if part] or [""]
    user = machine.user()
    every = list(installed(options.venv, user))
    if options.quick and not options.peers:
        every = one_of_each(every)
    peers = [peer for peer in every if any(part in peer.name.lower() for part in wanted)]
    return [*peers, floor.find(ROOT, user)] if options.floor else peers


def one_of_each(peers: list[Peer]) -> list[Peer]:
    """Give the newest of each program, set as usual: the last one that is no variant."""
    newest = {
        peer.name.split()[0]: peer for peer in peers if not peer.name.endswith(summary.VARIANT)
    }
    return list(newest.values())


def scale_of(options: argparse.Namespace) -> Scale:
    """Give how much work is asked for."""
    scale = TINY if options.tiny else QUICK if options.quick else FULL
    if options.rounds:
        return scale._replace(rounds=options.rounds, idle_rounds=options.rounds)
    return scale


if __name__ == "__main__":
    # SIGTERM ends us as Ctrl-C does, so that every server is ended with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
