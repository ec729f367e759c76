"""The plumbing of the benchmark with tiny loads, and its arithmetic: no time is asserted."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bench import machine, report, run, summary
from bench.__main__ import one_of_each
from bench.loads import secure, wrk
from bench.loads.wrk import LoadError
from bench.peers import installed
from bench.peers.peer import Peer
from bench.rows import ROWS, TINY, percentile

ROOT = Path(__file__).resolve().parents[2]
REPORTED = """
Running 2s test @ http://127.0.0.1:1234/
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.94ms    1.20ms  33.10ms   97.34%
  Latency Distribution
     50%    1.73ms
     75%    1.92ms
     90%    2.59ms
     99%    812.00us
  33401 requests in 2.01s, 12.01MB read
"""


def samples() -> dict[str, dict[str, list[dict[str, float]]]]:
    def cpu(user: float) -> dict[str, float]:
        return {"cpu": user + 1, "user": user, "system": 1, "rate": 5, "p50": 1, "p99": 2}

    return {
        row.name: {
            "podway": [cpu(1.0), cpu(9.0), cpu(2.0)],
            "HAProxy 2.8": [cpu(3.0)] * 3,
            "HAProxy 2.8 reuse": [cpu(1.0)] * 3,
        }
        for row in ROWS
        if row.main == "cpu"
    }


def document() -> summary.Json:
    rows = [row for row in ROWS if row.main == "cpu"]
    versions = dict.fromkeys(("podway", "HAProxy 2.8", "HAProxy 2.8 reuse"), "1.0")
    return summary.document(samples(), rows, versions, machine.describe(), TINY, "2026-01-02")


def test_medians_and_ratios() -> None:
    row = next(row for row in document()["rows"] if row["name"] == "bulk")
    assert row["medians"]["podway"]["user"] == 2.0, "the odd round does not count"
    assert row["ratios"] == {"HAProxy 2.8": 0.75, "HAProxy 2.8 reuse": 1.5}
    assert row["goals"] == {"HAProxy 2.8": 0.6}, "a variant is no yardstick"


def test_the_tables_show_every_row_and_which_goals_are_missed() -> None:
    text = report.text(document())
    assert all(row.title in text for row in ROWS if row.main == "cpu")
    assert "0.60 NO" in text
    assert "1.10 yes" in text


def test_only_what_stands_between_the_marks_in_the_readme_is_replaced() -> None:
    table = report.markdown(document())
    page = "a\n<!-- bench: begin (written by make bench) -->\nold\n<!-- bench: end -->\nb\n"
    new = report.inserted(page, table)
    assert "old" not in new
    assert new.startswith("a\n<!-- bench: begin (written by make bench) -->\n")
    assert new.endswith("<!-- bench: end -->\nb\n")
    assert report.inserted(new, table) == new
    assert report.inserted("no marks\n", table) == "no marks\n"


def test_the_readme_has_the_marks() -> None:
    assert report.MARKS.search((ROOT / "README.md").read_text())


def test_the_files_that_are_written(tmp_path: Path) -> None:
    report.write(document(), tmp_path, None)
    assert json.loads((tmp_path / "latest.json").read_text()) == document()
    for picture in ("figures.svg", "p99.svg"):
        drawn = ElementTree.fromstring((tmp_path / picture).read_text())
        assert drawn.findall("{http://www.w3.org/2000/svg}rect")


def test_what_wrk_prints() -> None:
    assert wrk.read(REPORTED) == wrk.Asked(33401, 2.01, 1.73, 0.812)
    with pytest.raises(LoadError, match="did not get"):
        wrk.read(REPORTED + "  Non-2xx or 3xx responses: 7\n")


def test_what_s_time_prints() -> None:
    printed = "Now timing with session id reuse.\nstarting\n{}\n\n3 connections in 0.01s; x\n"
    printed += "3 connections in 2 real seconds, 227 bytes read per connection\n"
    assert secure.resumed(printed.format("rrr")) == 3
    for letters in ("r*r", "rr", "", "*"):
        with pytest.raises(LoadError, match="not resumed"):
            secure.resumed(printed.format(letters))


def test_percentiles() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile([4.0], 99)) == (51, 100, 4)


@pytest.mark.live
@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_podway_and_an_installed_peer_under_tiny_loads(tmp_path: Path) -> None:
    """It runs as a process of its own, because it keeps to one processor."""
    rows = ("bulk", "tcp-kept", "http-close", "http-extras", "tls-resumed", "tls-bulk", "idle")
    options = ["--tiny", "--only", ",".join(rows), "--peers", "podway,haproxy 2.6"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options, "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "latest.json").read_text())
    assert tuple(row["name"] for row in written["rows"]) == rows
    for row in written["rows"]:
        assert row["medians"]["podway"]["p99" if row["name"] == "idle" else "rate"] > 0
        assert "HAProxy 2.6" in row["medians"] or not shutil.which("haproxy")


@pytest.mark.live
def test_ctrl_c_ends_everything_that_was_started() -> None:
    program = (
        "import os, signal\n"
        "from bench import run\n"
        "from bench.rows import TINY\n"
        "with run.pods(TINY) as rig:\n"
        "    children = open(f'/proc/self/task/{os.getpid()}/children').read()\n"
        "    print(children, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    signal.pause()\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGINT, done.stderr
    children = [int(pid) for pid in done.stdout.split()]
    assert len(children) == 2, done.stderr
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_a_quick_run_has_one_of_each_program() -> None:
    names = ("podway", "HAProxy 2.6", "HAProxy 2.8", "HAProxy 2.8 reuse", "nginx")
    peers = [Peer(name, "1.0", {}) for name in names]
    kept = [peer.name for peer in one_of_each(peers)]
    assert kept == ["podway", "HAProxy 2.8", "nginx"]


def test_podway_is_always_there_to_be_measured() -> None:
    first = next(iter(installed(user=machine.user())))
    assert first.name == "podway"
    assert set(first.modes) == {row.mode for row in ROWS}
    assert callable(run.once)
